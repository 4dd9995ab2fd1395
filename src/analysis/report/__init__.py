"""The only room that knows papermill and nbconvert: from a plan of notebooks to pages that anybody can open.

parameters   a notebook's parameter cell as a typed interface; no secret through it
study        the run plan: which notebook, which values, in which order
kernels      kernels forked from one process that has imported the stack, ordinary ones on any doubt
execution    one notebook through papermill, within its limits
truth        what an executed notebook really did, put into it and summed up
page         executed notebook in, one safe HTML file out
folder       the folder of the pages: one writer, no half-made file; records and index
runner       all runs of a plan, side by side
outcome      how a report ended: an exit code, and a sentence per run that did not end well
signals      SIGTERM taken as Ctrl-C is
progress     how far long work is, on a terminal or in a log
"""
