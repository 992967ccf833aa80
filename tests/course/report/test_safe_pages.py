"""What outputs hold is shown, and neither runs nor loads nor hides anything."""

import io

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_writer import KERNEL, Page

from mpii_course.report.notebook_page import math_to_mathml, notebook_body


def body(*cells, source):
    return notebook_body(new_notebook(cells=list(cells), metadata=KERNEL), source=source)


HOSTILE = [
    "<!-- secret --><!--[if gte IE 4]><script>run()</script><![endif]-->",
    "<script>run()</script>kept",
    "<img src=x onerror=run()>",
    "<a href='java\nscript:run()'>kept</a>",
    "<a href='data:text/html,<script>run()</script>'>kept</a>",
    "<svg onload=run()><g onclick='run()'></g></svg>",
    "<svg><script>run()</script></svg>",
    "<svg><a xlink:href='javascript:run()'>kept</a></svg>",
    "<svg><animate attributeName=href values=javascript:run() /></svg>",
    "<svg><use href='https://x.org/a.svg#a'/></svg>",
    "<svg><image href='https://x.org/a.png'/></svg>",
    "<svg><foreignObject><iframe src=javascript:run()></iframe></foreignObject></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=run()></style></mglyph></table></mtext></math>",
    "<math href='javascript:run()'><maction actiontype='toggle' xlink:href='javascript:run()'>a</maction></math>",
    "<svg></p><style><a id='</style><img src=x onerror=run()>'></svg>",
    "<noscript><p title='</noscript><img src=x onerror=run()>'>",
    "<form action='https://x.org'><input autofocus onfocus=run()><button formaction=javascript:run()>a</button></form>",
    "<meta http-equiv=refresh content='0;url=https://x.org'>",
    "<base href='https://x.org/'>",
    "<link rel=stylesheet href=//x.org/a.css>",
    "<p style='background:url(//x.org/a.png);position:fixed;color:red'>kept</p>",
    "<p style='background:u\\72l(//x.org/a)'>kept</p>",
    "<video src='https://x.org/a.mp4' poster='https://x.org/a.png'></video>",
    "<embed src=//x.org><object data=//x.org></object>",
    "<div><img src='data:text/html,<script>run()</script>'></div>",
    "<img srcset='https://x.org/a.png 2x' src=''>",
    "<![CDATA[<script>run()</script>]]>",
    "<p id=main class=banner onclick=run()",
    "<img src='" + "a" * 3000 + ".png'>",
    "<svg viewBox='0 0 1 1'><style>@import '//x.org'</style></svg>",
]


@pytest.mark.parametrize("raw", HOSTILE)
def test_a_hostile_output_neither_runs_nor_loads_nor_hides_anything(tmp_path, raw):
    outputs = [new_output("display_data", {kind: raw}) for kind in ("text/html", "text/markdown", "image/svg+xml")]
    text = body(new_code_cell("x", outputs=outputs), new_markdown_cell(raw), source=tmp_path / "a.ipynb")
    page = Page(text)
    names = {name for _, found in page.tags for name in found}
    assert not [name for name in names if name.startswith("on") or name in ("srcset", "poster", "action", "formaction")]
    assert not {"script", "style", "iframe", "form", "input", "meta", "base", "link", "foreignobject", "animate"} & {
        tag for tag, _ in page.tags
    }
    assert all(address.startswith(("data:image/", "#")) for address in page.loads), page.loads
    assert not any(link and "script" in link for link in page.links) and "secret" not in text
    assert not any("url" in found.get("style", "") or "position" in found.get("style", "") for _, found in page.tags)


def test_formulas_and_drawings_and_tables_of_outputs_survive(tmp_path):
    import matplotlib.pyplot as plt

    buffer = io.StringIO()
    figure, axes = plt.subplots(figsize=(2, 1))
    axes.plot([1, 2], label="$x^2$")
    figure.savefig(buffer, format="svg")
    table = pd.DataFrame({"a": [1.5]}).to_html()
    formula = math_to_mathml(r"\begin{pmatrix}1 & \frac{a}{b}\\ \sqrt{2} & \hat{y}\end{pmatrix}", display=True)
    for kind, raw in (("text/html", buffer.getvalue()), ("text/html", table), ("text/html", formula)):
        cell = new_code_cell("x", outputs=[new_output("display_data", {kind: raw})])
        page = Page(body(cell, source=tmp_path / "a.ipynb"))
        drawn = {"svg", "g", "path", "use", "defs", "math", "mtd", "mfrac", "msqrt", "mover", "mi", "table", "td"}
        tags = [tag for tag, _ in page.tags if tag in drawn]
        assert tags == [tag for tag, _ in Page(raw).tags if tag in drawn] and tags
        links = {found["xlink:href"][1:] for _, found in page.tags if "xlink:href" in found}
        assert links <= set(page.ids)
        assert not page.wrong
