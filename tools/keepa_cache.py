#!/usr/bin/env python3
"""The product cache as a library and a tool for what was written against its predecessor: standard library only.

    from keepa_cache import get_cached_products, save_keepa_product, get_cache_stats

    tools/keepa_cache.py import keepa_products_cache.db     # an SQLite table of Keepa's bodies with their times
    tools/keepa_cache.py import folder/                     # a folder of bodies: their files' times count
    tools/keepa_cache.py stats

Tollbook is asked over HTTP: at TOLLBOOK_URL, http://127.0.0.1:8000 unless that is set, with TOLLBOOK_ACCESS_KEY if that
is set. Nothing here ever buys anything.
"""

import argparse
import datetime
import json
import os
import pathlib
import sqlite3
import sys
import urllib.error
import urllib.parse
import urllib.request

PORTION = 20
TABLE = "keepa_products_cache"


class TollbookError(Exception):
    """Tollbook said no, or did not answer."""


def _ask(path, body=None):
    base = os.environ.get("TOLLBOOK_URL", "http://127.0.0.1:8000").rstrip("/")
    request = urllib.request.Request(base + path)
    if os.environ.get("TOLLBOOK_ACCESS_KEY"):
        request.add_header("Tollbook-Access-Key", os.environ["TOLLBOOK_ACCESS_KEY"])
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
            if answer.headers.get("Content-Encoding") == "gzip":
                import gzip

                content = gzip.decompress(content)
            return json.loads(content)
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        try:
            text = json.loads(text)["detail"]
        except (ValueError, KeyError):
            pass
        raise TollbookError(f"{error.code}: {text}") from None
    except urllib.error.URLError as error:
        raise TollbookError(f"no Tollbook answers at {base}: {error.reason}") from None


def get_cached_products(asins, domain=1):
    """What is cached of these products, by ASIN, as Keepa sent it. Buys nothing."""
    found = {}
    asins = list(asins)
    for start in range(0, len(asins), 100):
        query = urllib.parse.urlencode({
            "domain": domain, "asin": ",".join(asins[start:start + 100]), "update": -1, "stats": 90,
            "videos": 1, "aplus": 1,
        })
        for product in _ask("/keepa/product?" + query).get("products", []):
            found[product["asin"]] = product
    return found


def save_keepa_product(product, domain=1, fetched_at=None):
    """Keeps a product that was bought elsewhere. Gives back whether it was kept: not if a younger one is there."""
    return _save([product], domain, fetched_at) == 1


def get_cache_stats():
    """Hits, misses, entries and the hit rate."""
    return _ask("/cache/stats")["data"]["cache_stats"]


def _save(products, domain, fetched_at):
    if fetched_at is None:
        fetched_at = datetime.datetime.now(datetime.timezone.utc)
    if isinstance(fetched_at, datetime.datetime):
        if fetched_at.tzinfo is None:
            fetched_at = fetched_at.replace(tzinfo=datetime.timezone.utc)
        fetched_at = fetched_at.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _ask("/keepa/import", {"products": products, "domain": domain, "fetched_at": fetched_at})["kept"]


def _time(value):
    """A time of a row: seconds or milliseconds since 1970, or a text as SQLite and isoformat write it, in UTC."""
    if isinstance(value, (int, float)):
        return datetime.datetime.fromtimestamp(value / 1000 if value > 1e11 else value, datetime.timezone.utc)
    found = datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)


def _rows_of_table(path, domain):
    """Bodies of an SQLite table, with their domains and times. The columns are found by what they are called."""
    base = sqlite3.connect(f"file:{urllib.parse.quote(path)}?mode=ro", uri=True)
    base.row_factory = sqlite3.Row
    tables = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    if TABLE not in tables:
        sys.exit(f"{path} has no table {TABLE}; it has {', '.join(tables) or 'none'}.")
    columns = [row[1] for row in base.execute(f"PRAGMA table_info({TABLE})")]

    def column(what, *names):
        for name in names:
            if name in columns:
                return name
        sys.exit(f"{TABLE} has no column for {what}: none of {', '.join(names)}.")

    body = column("the bodies", "raw_data", "raw_keepa_data", "raw_json", "data", "json", "product_data", "body")
    fetched = column("the times", "fetched_at", "cached_at", "updated_at", "last_updated", "created_at")
    for row in base.execute(f"SELECT * FROM {TABLE}"):
        own = row["domain"] if "domain" in columns and row["domain"] is not None else domain
        try:
            product = json.loads(row[body])
            if "products" in product:
                product = product["products"][0]
            yield product, int(own), _time(row[fetched])
        except (TypeError, ValueError, LookupError) as error:
            print(f"left out: {row['asin'] if 'asin' in columns else 'a row'}: {error}", file=sys.stderr)


def _bodies_of_folder(path, domain):
    for file in sorted(pathlib.Path(path).rglob("*.json")):
        try:
            content = json.loads(file.read_text())
        except ValueError as error:
            print(f"left out: {file}: {error}", file=sys.stderr)
            continue
        time = datetime.datetime.fromtimestamp(file.stat().st_mtime, datetime.timezone.utc)
        if isinstance(content, dict) and isinstance(content.get("timestamp"), int):
            time = _time(content["timestamp"])
        products = content.get("products", [content]) if isinstance(content, dict) else []
        for product in products:
            if isinstance(product, dict) and "asin" in product:
                yield product, int(product.get("domainId") or domain), time


def import_cache(path, domain=1):
    """Moves a predecessor's products in. Gives back how many were kept, and how many were left out."""
    rows = _bodies_of_folder(path, domain) if os.path.isdir(path) else _rows_of_table(path, domain)
    kept = seen = 0
    portions = {}

    def send(key):
        nonlocal kept
        portion = portions.pop(key, [])
        if portion:
            kept += _save(portion, key[0], key[1])

    for product, own, time in rows:
        seen += 1
        key = (own, time.strftime("%Y-%m-%dT%H:%M:%SZ"))
        portions.setdefault(key, []).append(product)
        if len(portions[key]) >= PORTION:
            send(key)
    for key in list(portions):
        send(key)
    return kept, seen - kept


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    moving = commands.add_parser("import", help="move a predecessor's products in; costs nothing")
    moving.add_argument("path", help="an SQLite file with the table keepa_products_cache, or a folder of Keepa's bodies")
    moving.add_argument("--domain", type=int, default=1, help="of products that do not say their own")
    commands.add_parser("stats", help="how the cache did")
    arguments = parser.parse_args()
    try:
        if arguments.command == "stats":
            print(json.dumps(get_cache_stats(), indent=2))
        else:
            if not os.path.exists(arguments.path):
                sys.exit(f"{arguments.path} is not there.")
            kept, left = import_cache(arguments.path, arguments.domain)
            print(f"{kept} products kept, {left} left out: a younger one is there, or they are too old.")
    except TollbookError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
