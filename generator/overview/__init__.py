"""What staff see on one page: what was made and what it cost, what goes on now, what needs a look.

Few and bounded queries: sums of `UsageTotal`, the unfinished, and the newest few of what ended.
Nothing here counts the rows of a big table, and no prompt is read.
"""
