"""What the black-box tests share: real hosts, their protos, clients, traffic and grpcurl.

A test file imports what it needs from the modules here; it knows the host by its flags, its log,
its exit line and the network, and by nothing else.
"""
