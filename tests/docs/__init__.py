"""What docs/ says of the code, made from it: each block is a function that answers Markdown."""
