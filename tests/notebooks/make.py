"""Makes the tiny notebooks of this folder, one per behaviour; run it again after a change: `python make.py`."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = """cohort: str = "synthetic"  # cohort by name or folder
patients: int = 3  # how many (patients, 1 to 100)
label: str | None = None  # a word for the text"""

FIGURE = """import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(2, 1))
axes.plot([0, 1], [1, 0])
display(figure, metadata={"image/png": {"alt": "A line falls from one to nought"}})
plt.close(figure)"""

TABLE = """import pandas as pd
from IPython.display import HTML, Markdown

display(Markdown(f"Here stand **{patients}** patients of {label}."))
display(pd.DataFrame({"line": ["first", "second"], "patients": [patients, 1]}).set_index("line"))"""

NOISE = """import sys
import warnings

print("a warning from below", file=sys.stderr)
warnings.warn("noise that no reader needs")
print("said aloud")"""

INJECTION = """import pandas as pd
from IPython.display import HTML, Markdown

payload = '<script>alert(1)</script>"><img src=x onerror=alert(2)></style>'
display(Markdown(f"Drug: {payload}"))
display(HTML(f"<p onclick='alert(3)'>Drug: {payload}</p>"))
display(pd.DataFrame({"drug": [payload], payload: [1]}))
print(payload)
payload"""

CELLS = {
    "good": [FIGURE, TABLE],
    "fails": ["before = 1", "raise ValueError('no such line')", "after = 2"],
    "dies": ["before = 1", "import os\nos._exit(9)", "after = 2"],
    "sleeps": ["before = 1", "import time\ntime.sleep(60)", "after = 2"],
    "noisy": [NOISE],
    "no_alt": ["import matplotlib.pyplot as plt\n\nplt.plot([0, 1])\nplt.show()"],
    "injection": [INJECTION],
    "where": ["import os\nimport sys\n\nprint(sys.executable, os.getcwd(), cohort, patients, label, sep='\\n')"],
}


def notebook(name: str, sources: list[str]) -> nbformat.NotebookNode:
    parameters = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    title = new_markdown_cell(f"# The notebook {name}\n\nWhat does this one show?\n\n## Reading\n\nA sentence.")
    cells = [title, parameters, *map(new_code_cell, sources)]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


if __name__ == "__main__":
    for name, sources in CELLS.items():
        nbformat.write(notebook(name, sources), Path(__file__).parent / f"{name}.ipynb")
