"""What a result looks like: frames in; figures, tables and sentences out. Knows no model, no file and no estimate.

Three rooms answer to the same names, so that one word is enough to find all three:

- `figures` draws a frame (`figures.rates`), `figures.show` puts it on the page together with its alt text;
- `tables` sets it as a table a screen reader can walk through (`tables.rates`);
- `words` says it in plain sentences whose every number comes from the frame (`words.rates`, and `words.alt_rates`
  for the figure's alt text); `words.show` puts them on the page.

Below them stand `numbers` (every rounding rule and every escape), `labels` (what an event, an endpoint and a
stratum are called) and `reading` (how a number is read off a curve).
"""
