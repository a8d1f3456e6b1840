"""Friends from before the shop had this extension: known by their ids, and invited to link.

Read ``adding.py`` first; ``id_files.py`` and ``follower_list.py`` are where the ids come from, and
``inviting.py`` is what follows.
"""
