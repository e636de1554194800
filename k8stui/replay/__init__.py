"""A deployment, object by object: what each one adds to every node, and who can ask whom then."""
