"""Makes calls of the PyPI client `google-genai`, as it is, and prints what came of each: one JSON object a line.

    python genai_calls.py BASE KEY INVOICE.pdf

All that changes for the client is its `base_url`; both its generations (1.x, 3.x) are tried with this file.
"""

import asyncio
import json
import sys

from google import genai
from google.genai import errors, types

BASE, KEY, INVOICE = sys.argv[1].rstrip("/"), sys.argv[2], sys.argv[3]
MODEL = "gemini-3.5-flash-lite"


def tell(name, **value):
    print(json.dumps({"call": name, **value}), flush=True)


def options(path=""):
    return types.HttpOptions(base_url=BASE + path, timeout=30_000)


def usage(answer):
    return answer.usage_metadata.total_token_count


client = genai.Client(api_key=KEY, http_options=options())
answer = client.models.generate_content(model=MODEL, contents="What is a toll?")
tell("text", ok=bool(answer.text), tokens=usage(answer))

with open(INVOICE, "rb") as file:
    document = types.Part.from_bytes(data=file.read(), mime_type="application/pdf")
schema = types.Schema(
    type="OBJECT",
    properties={
        "invoice_number": types.Schema(type="STRING"),
        "total_gross": types.Schema(type="STRING", nullable=True),
    },
    required=["invoice_number"],
    property_ordering=["invoice_number", "total_gross"],
)
config = types.GenerateContentConfig(
    response_mime_type="application/json", response_schema=schema, max_output_tokens=500)
answer = client.models.generate_content(model=MODEL, contents=[document, "Read it."], config=config)
tell("document", ok="invoice_number" in json.loads(answer.text), tokens=usage(answer),
     number=json.loads(answer.text)["invoice_number"])

pieces = list(client.models.generate_content_stream(model=MODEL, contents="Tell of a bridge and its toll."))
tell("stream", ok=len(pieces) > 1 and all(piece.text is not None for piece in pieces), tokens=usage(pieces[-1]))

count = client.models.count_tokens(model=MODEL, contents="What is a toll?")
tell("count", ok=count.total_tokens > 0, tokens=0)

names = [model.name for model in client.models.list()]
tell("models", ok=f"models/{MODEL}" in names, tokens=0)

cached = genai.Client(api_key=KEY, http_options=options("/~cache=on"))
first = cached.models.generate_content(model=MODEL, contents="What does a gate cost?")
second = cached.models.generate_content(model=MODEL, contents="What does a gate cost?")
tell("cached", ok=first.text == second.text, tokens=usage(first))

try:
    client.models.generate_content(model="gemini-0-none", contents="Hello")
    tell("unknown model", ok=False, tokens=0)
except errors.ClientError as error:
    tell("unknown model", ok=error.code == 404, tokens=0, status=error.status)


async def later():
    answer = await client.aio.models.generate_content(model=MODEL, contents="And at night?")
    tell("async", ok=bool(answer.text), tokens=usage(answer))


asyncio.run(later())
