"""Who is let in from outside by name, and by whom: Ingresses, routes of the Gateway API, Istio."""
