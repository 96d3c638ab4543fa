"""Graphite's web application below a folder of its own: graphite-server.py FOLDER PORT.

POST /whisper/METRIC with lines of "VALUE EPOCH_SECONDS" writes points as Carbon would, ten seconds
apart for an hour.
"""

import os
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import whisper

folder, port = sys.argv[1], int(sys.argv[2])
whisper_folder = os.path.join(folder, "whisper")

with open(os.path.join(folder, "graphite_settings_here.py"), "w") as settings:
    settings.write(
        f"""
SECRET_KEY = 'used by nothing here'
STORAGE_DIR = LOG_DIR = {folder!r}
WHISPER_DIR = {whisper_folder!r}
INDEX_FILE = {os.path.join(folder, 'index')!r}
DATABASES = {{'default': {{'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}}}
"""
    )
os.makedirs(whisper_folder)
sys.path.insert(0, folder)
os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"
os.environ["GRAPHITE_SETTINGS_MODULE"] = "graphite_settings_here"

from graphite.wsgi import application  # noqa: E402  (reads the settings)


def write(metric, lines):
    path = os.path.join(whisper_folder, *metric.split(".")) + ".wsp"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.exists(path):
        whisper.create(path, [(10, 360)])
    points = [line.split() for line in lines.splitlines()]
    whisper.update_many(path, [(float(at), float(value)) for value, at in points])


def serve(environ, start_response):
    path = environ["PATH_INFO"]
    if not path.startswith("/whisper/"):
        return application(environ, start_response)
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    write(path.removeprefix("/whisper/"), body.decode())
    start_response("204 No Content", [])
    return []


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


make_server("127.0.0.1", port, serve, handler_class=Quiet).serve_forever()
