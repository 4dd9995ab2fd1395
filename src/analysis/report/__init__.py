"""The only room that knows papermill and nbconvert: from a plan of notebooks to pages that anybody can open.

parameters   a notebook's parameter cell as a typed interface
study        the run plan: which notebook, which values, in which order
execution    one notebook through papermill, its ending told truthfully
page         executed notebook in, one safe HTML file out
runner       all runs of a plan, side by side; pages, records and index moved into place
progress     how far long work is, on a terminal or in a log
"""
