"""The kind of program that Tollbook succeeds: FastAPI with a row per product in SQLite, in the sync shape.

Only there to be measured beside Tollbook; see tools/bench.
"""

import sqlite3
import sys

from fastapi import FastAPI, Response
from fastapi.middleware.gzip import GZipMiddleware

app = FastAPI()
# The fastest level: what Tollbook is measured against shall not be slow for nothing.
app.add_middleware(GZipMiddleware, compresslevel=1)
path = sys.argv[1] if len(sys.argv) > 1 else "products.sqlite"


@app.get("/keepa/products/{domain}/{asin}")
def product(domain: int, asin: str):
    connection = sqlite3.connect(path)
    try:
        row = connection.execute(
            "SELECT body FROM products WHERE domain = ? AND asin = ?", (domain, asin)).fetchone()
        connection.execute(
            "UPDATE products SET hits = hits + 1 WHERE domain = ? AND asin = ?", (domain, asin))
        connection.commit()
    finally:
        connection.close()
    return Response(row[0], media_type="application/json") if row else Response(status_code=404)


@app.get("/product")
def products(domain: int, asin: str):
    """Joins stored texts as Keepa's clients want them, without reading them."""
    asins = asin.split(",")
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(
            f"SELECT text FROM texts WHERE asin IN ({','.join('?' * len(asins))})", asins).fetchall()
    finally:
        connection.close()
    body = '{"timestamp":0,"tokensLeft":0,"products":[' + ",".join(row[0] for row in rows) + "]}"
    return Response(body, media_type="application/json")


if __name__ == "__main__":
    import uvicorn

    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute(
        "CREATE TABLE products (domain INTEGER, asin TEXT, body BLOB, hits INTEGER,"
        " PRIMARY KEY (domain, asin))")
    database.executemany(
        "INSERT INTO products VALUES (1, ?, ?, 0)",
        [(f"B{number:09d}", b"x" * int(sys.argv[3])) for number in range(50)])
    database.execute("CREATE TABLE texts (asin TEXT PRIMARY KEY, text TEXT)")
    if len(sys.argv) > 4:
        # A product a line.
        with open(sys.argv[4], encoding="utf-8") as lines:
            database.executemany(
                "INSERT INTO texts VALUES (?, ?)", [line.rstrip("\n").split("\t", 1) for line in lines])
    database.commit()
    database.close()
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
