"""One rule, one file. The table of all of them is `k8stui.check.table`."""
