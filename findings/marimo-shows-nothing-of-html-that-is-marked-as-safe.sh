#!/usr/bin/env bash
# Guess: an object whose _repr_html_ gives Markup of markupsafe (a str; what Jinja renders and html escaping gives) is shown
# in marimo as in Jupyter: it is text.
# What happens: marimo writes the text of a plain str into the page, and for a class derived from str an empty mapping in
# its place. No word says so.
# Whom it hurts: whoever shows objects by templates, and sees them in JupyterLab; str(...) around the result helps.
set -euo pipefail
source "$(dirname "$0")/packages" marimo==0.25.2 markupsafe==3.0.3

run <<'PYTHON'
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CELLS = '''
import marimo

app = marimo.App()


@app.cell
def _():
    from markupsafe import Markup

    class Shown:
        def __init__(self, html):
            self.html = html

        def _repr_html_(self):
            return self.html

    return Markup, Shown


@app.cell
def _(Shown):
    Shown(str("<b>of str</b>"))
    return


@app.cell
def _(Markup, Shown):
    Shown(Markup("<b>of Markup</b>"))
    return
'''

with tempfile.TemporaryDirectory() as folder:
    page, cells = Path(folder, "page.html"), Path(folder, "cells.py")
    cells.write_text(CELLS)
    subprocess.run([sys.executable, "-m", "marimo", "-q", "export", "html", cells, "-o", page], check=True, capture_output=True)
    for shown in re.findall(r'"text/html": ("(?:[^"\\]|\\.)*"|{[^}]*})', page.read_text()):
        print(json.loads(shown))
PYTHON
expect <<'SEEN'
<b>of str</b>
{}
SEEN
