"""Many runs with one command: what they are, how they stand, and doing what is left."""
