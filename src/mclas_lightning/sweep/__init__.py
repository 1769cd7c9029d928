"""Many runs with one command: their plan, their states, and starting the runs that are left."""
