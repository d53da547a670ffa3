"""Makes the calls of the PyPI client `keepa`, as it is, and prints what each one cost: one JSON object a line.

    python keepa_calls.py BASE sync|async [KEY]
    python keepa_calls.py tls://127.0.0.1:PORT sync|async [KEY]

The client has the address of Keepa as a literal in two modules; that alone is led elsewhere, the rest is the client's.
With `tls://` not even that: the name api.keepa.com is taken for another address, as a line in the hosts file and a port
that is led on would have it, and the certificate there must be for that name (REQUESTS_CA_BUNDLE, SSL_CERT_FILE).
"""

import asyncio
import json
import os
import socket
import sys
import tempfile

import aiohttp
import requests
from keepa import AsyncKeepa, Keepa, ProductParams
from keepa import keepa_sync

LITERAL = "https://api.keepa.com"
BASE, MODE = sys.argv[1].rstrip("/"), sys.argv[2]
KEY = sys.argv[3] if len(sys.argv) > 3 else "0" * 64
answers = []
own_lookup = socket.getaddrinfo


def lookup(host, port, *arguments, **options):
    if (host, port) == ("api.keepa.com", 443):
        host, port = PLACE
    return own_lookup(host, port, *arguments, **options)


if BASE.startswith("tls://"):
    PLACE = BASE.removeprefix("tls://").split(":")
    BASE = LITERAL
    socket.getaddrinfo = lookup


def led(url):
    url = str(url)
    return BASE + url[len(LITERAL):] if url.startswith(LITERAL) else url


def note(status, kind, body, headers):
    tokens = json.loads(body).get("tokensConsumed") if "json" in kind else int(headers.get("Tollbook-Charge", "0"))
    answers.append({"status": status, "tokens": tokens})


class Led:
    """`requests` whose calls go elsewhere."""

    def __getattr__(self, name):
        return getattr(requests, name)

    def get(self, url, *arguments, **options):
        answer = requests.get(led(url), *arguments, **options)
        note(answer.status_code, answer.headers.get("Content-Type", ""), answer.content, answer.headers)
        return answer


keepa_sync.requests = Led()
own_request = aiohttp.ClientSession._request


async def led_request(self, method, url, **options):
    answer = await own_request(self, method, led(url), **options)
    kind = answer.headers.get("Content-Type", "")
    # A picture is read by the client as it comes.
    note(answer.status, kind, await answer.read() if "json" in kind else b"", answer.headers)
    return answer


aiohttp.ClientSession._request = led_request


def told(name, value):
    answers_of_it, answers[:] = list(answers), []
    print(
        json.dumps({
            "call": name,
            "tokens": sum(answer["tokens"] or 0 for answer in answers_of_it),
            "statuses": sorted({answer["status"] for answer in answers_of_it}),
            "value": value,
        }), flush=True)


ASINS = ["B09T2ZLMHB", "B0BSHF7WHW", "B07FZ8S74R"]


def calls(api, facts):
    """Name, what is called, and what is to be told of its value."""
    quiet = {"progress_bar": False}
    graph = os.path.join(tempfile.mkdtemp(), "graph.png")
    selection = {"rootCategory": str(facts["root"]), "current_SALES_gte": 1, "current_SALES_lte": 100000}
    asins = lambda products: sorted(product["asin"] for product in products)
    yield "query", lambda: api.query(ASINS, **quiet), asins
    yield "query with stats", lambda: api.query(ASINS, stats=90, **quiet), lambda found: [
        len(product["stats"]["current"]) > 30 for product in found]
    yield "query with another window", lambda: api.query(ASINS, stats=30, **quiet), lambda found: [
        "stats_parsed" in product for product in found]
    yield "query without history", lambda: api.query(ASINS, history=False, **quiet), lambda found: [
        product["csv"] is None for product in found]
    yield "query with the buy box", lambda: api.query(ASINS[:1], buybox=True, stats=90, **quiet), asins
    yield "query with ratings", lambda: api.query(ASINS[:1], rating=True, **quiet), asins
    yield "query with offers", lambda: api.query(ASINS[:1], offers=20, **quiet), lambda found: [
        len(product["offers"]) > 0 for product in found]
    yield "query of days", lambda: api.query(ASINS[:1], days=30, **quiet), asins
    yield "query by code", lambda: api.query([facts["code"]], product_code_is_asin=False, **quiet), lambda found: (
        facts["coded"] in asins(found))
    yield "best_sellers_query", lambda: api.best_sellers_query(str(facts["root"])), lambda found: len(found) > 0
    yield "category_lookup", lambda: api.category_lookup(facts["root"]), lambda found: sorted(found)
    yield "category_lookup of roots", lambda: api.category_lookup(0), lambda found: len(found) > 0
    yield "search_for_categories", lambda: api.search_for_categories(facts["term"]), lambda found: len(found) > 0
    yield "product_finder", lambda: api.product_finder(selection), lambda found: len(found) > 0
    yield "product_finder with its class", lambda: api.product_finder(ProductParams(**selection)), lambda found: (
        len(found) > 0)
    yield "deals", lambda: api.deals({"page": 0, "domainId": 1}), lambda found: "dr" in found
    yield "seller_query", lambda: api.seller_query([facts["seller"]]), lambda found: list(found)
    yield "seller_query with its storefront", lambda: api.seller_query(facts["seller"], storefront=True), lambda found: [
        len(seller["asinList"]) > 0 for seller in found.values()]
    yield "download_graph_image", lambda: api.download_graph_image(ASINS[0], graph), lambda _: os.path.getsize(graph) > 100


def discovered():
    """What the calls are about, found with the client's own requests."""
    get = lambda path, **query: requests.get(f"{BASE}/{path}", params={"key": KEY, "domain": 1, **query}).json()
    roots = get("category", category=0)["categories"]
    root = int(sorted(roots)[0])
    product = get("product", asin=ASINS[0])["products"][0]
    deals = get("topseller")
    return {
        "root": root,
        "term": roots[str(root)]["name"].split()[0].lower(),
        "code": (product.get("eanList") or product["upcList"])[0],
        "coded": product["asin"],
        "seller": deals["sellerIdList"][0],
    }


def run():
    facts = discovered()
    for turn in ["first", "second"]:
        api = Keepa(KEY)
        for name, call, value in calls(api, facts):
            told(f"{turn}: {name}", value(call()))
    api.update_status()
    told("update_status", api.tokens_left > 0)


async def run_async():
    facts = discovered()
    for turn in ["first", "second"]:
        api = await AsyncKeepa.create(KEY)
        for name, call, value in calls(api, facts):
            told(f"{turn}: {name}", value(await call()))


if MODE == "sync":
    run()
else:
    asyncio.run(run_async())
