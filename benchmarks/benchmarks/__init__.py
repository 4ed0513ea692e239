"""What anygrad costs, beside the libraries' own gradients and plain copies."""
