"""Holds answers against a JSON Schema with the package `jsonschema`. Reads a JSON array of {"name", "schema", "answer"}
from standard input, and prints for each, one JSON object a line, its name and what is wrong with it: an empty list, or
places and reasons.
"""

import json
import sys

from jsonschema import Draft202012Validator

for case in json.load(sys.stdin):
    Draft202012Validator.check_schema(case["schema"])
    found = sorted(Draft202012Validator(case["schema"]).iter_errors(case["answer"]), key=lambda error: error.json_path)
    print(json.dumps({"name": case["name"], "errors": [f"{error.json_path}: {error.message}" for error in found]}))
