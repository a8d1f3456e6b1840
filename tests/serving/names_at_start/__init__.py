"""On the path of the processes that the tests start; Python imports ``sitecustomize`` by itself."""
