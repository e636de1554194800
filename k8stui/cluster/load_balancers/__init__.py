"""Who gives a Service of type LoadBalancer its address, and which node announces it."""
