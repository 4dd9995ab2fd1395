"""What the command does beyond running notebooks.

predict  risks of the patients in a file, by a stored model
"""
