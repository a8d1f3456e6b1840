"""How the documentation becomes a site: ``make docs`` builds it below ``build/site``, strictly."""

from __future__ import annotations

import ast
import re
from configparser import ConfigParser
from itertools import groupby
from pathlib import Path

from sphinx.application import Sphinx

_ROOT = Path(__file__).parents[1]
_METADATA = ConfigParser()
_METADATA.read(_ROOT / "setup.cfg", "utf-8")

project = _METADATA["metadata"]["name"]
release = _METADATA["metadata"]["version"]
extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "index"
exclude_patterns = ["deploy"]
html_theme = "furo"
html_title = f"{project} {release}"
#: So that links to sections, as GitHub makes them, lead there.
myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_typehints = "description"

_HEAD = """# Reference: public names in full

Everything that `from flask_lineconnect import …` gives, by the module where it lives; the short
table is [public names](names.md).
"""


#: The bar beside the pages; the start page has the same pages as questions.
_CONTENTS = """
```{toctree}
:hidden:

tutorial
owner-handbook
```

```{toctree}
:hidden:
:caption: 日本語
:glob:

ja/tutorial
ja/*
```

```{toctree}
:hidden:
:caption: How to
:glob:

how-to/*
how-to/practices/index
```

```{toctree}
:hidden:
:caption: Reference

settings
commands
signals
names
api
addresses
templates
tables
emulator
glossary
```

```{toctree}
:hidden:
:caption: Explanation
:glob:

explanation/*
```
"""
_PRACTICES = """
```{toctree}
:hidden:
:glob:

*
```
"""
_LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)]+)\)")
#: What the pages of practices lead to in the repository, and the site shows.
_DEMO = re.compile(r"\]\((?:\.\./)+(demo_shop/line/(?:scenarios/\w+\.toml|events\.py))\)")
_SEGMENT = re.compile(r'\b(?:segment|starts_in) = "(\w+)"')


def setup(app: Sphinx) -> None:
    """Let the pages, which are read in the repository as they are, become a site."""
    app.connect("source-read", _complete)


def _complete(app: Sphinx, name: str, source: list[str]) -> None:
    page = _ROOT / "docs" / f"{name}.md"
    if name == "api":
        source[0] = api_page()
    to_copy = practice_to_copy(source[0])
    source[0] = _LINK.sub(lambda found: _inside(page, found), source[0])
    source[0] += to_copy
    source[0] += {"index": _CONTENTS, "how-to/practices/index": _PRACTICES}.get(name, "")


def _inside(page: Path, found: re.Match[str]) -> str:
    """Return a link if its target is part of the site, otherwise its words."""
    is_part = (page.parent / found[2]).resolve().is_relative_to(_ROOT / "docs")
    return found[0] if is_part else found[1]


def practice_to_copy(page: str) -> str:
    """Return the files of the demo shop that a page leads to, and the segments that they name."""
    files = [_ROOT / path for path in _DEMO.findall(page)]
    texts = [(file.suffix[1:], file.name, file.read_text("utf-8").strip()) for file in files]
    named = {name for _kind, _name, text in texts for name in _SEGMENT.findall(text)}
    rules = (_ROOT / "demo_shop" / "line" / "segments.toml").read_text("utf-8")
    tables = re.split(r"\n\n(?=\[\w+\]\n)", rules.strip())
    if chosen := [one for one in tables if one[1:].partition("]")[0] in named]:
        texts.append(("toml", "segments.toml", "\n\n".join(chosen)))
    kinds = {"py": "python"}
    return "".join(
        f"\n### `{name}`\n\n```{kinds.get(kind, kind)}\n{text}\n```\n" for kind, name, text in texts
    )


def api_page() -> str:
    """Return the page in Markdown: a section for each module, a block for each name."""
    package = _ROOT / "flask_lineconnect"
    exported = ast.parse((package / "__init__.py").read_text("utf-8"))
    homes = sorted(
        (node.module or "", alias.name)
        for node in ast.walk(exported)
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    )
    parts = [_HEAD]
    for module, names in groupby(homes, key=lambda home: home[0]):
        parts.append(f"## `{module}`\n")
        home = ast.parse((package / (module.replace(".", "/") + ".py")).read_text("utf-8"))
        parts += [_block(f"flask_lineconnect.{module}.{name}", home) for _module, name in names]
    return "\n".join(parts)


def _block(path: str, home: ast.Module) -> str:
    """Return the directive for one name; of what is no class and no function, the name alone.

    Its value may be a stand-in for something of the current app, which there is none of here.
    """
    name = path.rpartition(".")[2]
    classes = {node.name for node in home.body if isinstance(node, ast.ClassDef)}
    functions = {node.name for node in home.body if isinstance(node, ast.FunctionDef)}
    if name in classes:
        directive = f".. autoclass:: {path}\n   :members:"
    elif name in functions:
        directive = f".. autofunction:: {path}"
    else:
        directive = f".. py:data:: {path}"
    return f"```{{eval-rst}}\n{directive}\n```\n"
