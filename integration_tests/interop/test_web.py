"""Clients and encodings, over servers on loopback."""

import asyncio
import gzip
import json

import pytest

pytestmark = pytest.mark.packages("requests", "urllib3", "certifi")


def session():
    import requests

    made = requests.Session()
    made.trust_env = False
    return made


@pytest.mark.packages("httpx", "zstandard")
def test_compressed_answers_are_unpacked(serve):
    import zlib

    import httpx
    import zstandard

    text = json.dumps({"name": "Ångström"} | {str(n): n for n in range(200)}).encode()
    packed = {"gzip": gzip.compress(text), "deflate": zlib.compress(text), "zstd": zstandard.compress(text)}
    kind = {"Content-Type": "application/json"}
    port = serve({f"/{name}": (body, kind | {"Content-Encoding": name}) for name, body in packed.items()})
    for name in packed:
        url = f"http://127.0.0.1:{port}/{name}"
        answer = httpx.get(url, trust_env=False)
        assert len(answer.content) == len(text), name
        assert answer.json()["name"] == "Ångström", name
        if name != "zstd":  # urllib3 takes Python's own, from 3.14 on
            assert session().get(url, timeout=30).json() == answer.json()


@pytest.mark.packages("httpx", "idna")
def test_names_of_hosts_are_encoded_alike():
    import httpx
    import idna
    import requests

    for host in ("bücher.example", "例え.example", "straße.example"):
        wire = idna.encode(host).decode()
        assert wire.startswith("xn--")
        prepared = requests.Request("GET", f"https://{host}/ä?q=ö ü").prepare()
        assert prepared.url.startswith(f"https://{wire}/%C3%A4?q=%C3%B6")
        url = httpx.URL(f"https://{host}/ä?q=ö ü")
        assert url.raw_host.decode() == wire
        assert url.raw_path.decode().startswith("/%C3%A4?q=%C3%B6")
        assert url.host == idna.decode(wire)


@pytest.mark.packages("charset-normalizer", "beautifulsoup4", "lxml")
def test_the_encoding_of_a_page_is_found(serve):
    from bs4 import BeautifulSoup, UnicodeDammit

    words = "Größere Übungen für müde Füße, schöne Grüße an die Bären. " * 20
    for encoding in ("utf-8", "latin-1", "utf-16"):
        page = f"<html><head></head><body><p>{words}</p></body></html>".encode(encoding)
        port = serve({"/": (page, {"Content-Type": "text/html"})})
        answer = session().get(f"http://127.0.0.1:{port}/", timeout=30)
        answer.encoding = answer.apparent_encoding
        assert words.strip() in answer.text, encoding
        soup = BeautifulSoup(page, "lxml", from_encoding=answer.apparent_encoding)
        assert soup.p.get_text() == words
        assert UnicodeDammit(page, [answer.apparent_encoding]).unicode_markup == answer.text


@pytest.mark.packages("httpx", "anyio", "tornado", "websocket-client")
def test_servers_and_clients_share_an_event_loop():
    import anyio
    import httpx
    import tornado.web
    import tornado.websocket
    import websocket

    class Sum(tornado.web.RequestHandler):
        def get(self) -> None:
            self.write({"sum": sum(map(int, self.get_arguments("n")))})

    class Echo(tornado.websocket.WebSocketHandler):
        def on_message(self, message) -> None:
            self.write_message(message, binary=isinstance(message, bytes))

    def talk(port):
        channel = websocket.create_connection(f"ws://127.0.0.1:{port}/echo", timeout=30)
        try:
            channel.send("é" * 70_000)
            text = channel.recv()
            channel.send_binary(b"\0\xff")
            return text, channel.recv()
        finally:
            channel.close()

    async def main():
        application = tornado.web.Application([("/sum", Sum), ("/echo", Echo)])
        server = application.listen(0, "127.0.0.1")
        port = next(iter(server._sockets.values())).getsockname()[1]  # noqa: SLF001
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"http://127.0.0.1:{port}/sum"
            answers = await asyncio.gather(*(client.get(url, params={"n": [n, 1]}) for n in range(8)))
        with anyio.fail_after(60):
            said = await anyio.to_thread.run_sync(talk, port)
        server.stop()
        return [answer.json()["sum"] for answer in answers], said

    sums, said = asyncio.run(main())
    assert sums == list(range(1, 9))
    assert said == ("é" * 70_000, b"\0\xff")
