"""What a service mesh does to a connection: Istio's and Linkerd's answers to the same questions.

Who has a proxy, and what it takes (`proxies`); what the client's does with what it takes
(`outbound`, `detection`); what the server's does with what comes (`istio_policy`,
`linkerd_policy`). `met` asks them in the order in which a connection meets them.
"""
