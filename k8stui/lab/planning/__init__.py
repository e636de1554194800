"""From the namespaces that a walk has touched to the plan of a lab: commands, rules, sockets."""
