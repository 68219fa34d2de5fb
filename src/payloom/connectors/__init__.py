"""One folder per PSP, each speaking the PSP's dialect behind the contract in `contract/`."""
