# SPDX-License-Identifier: MIT
"""Lets Python's selectors use pysock's: DefaultSelector, and the class for this system's epoll or kqueue."""
import _socket
import collections.abc
import selectors


class Mapping(collections.abc.Mapping):
    """Every key, by file object or descriptor."""

    def __init__(self, selector):
        self.selector = selector

    def descriptor(self, fileobj):
        try:
            return selectors._fileobj_to_fd(fileobj)
        except ValueError:  # closed
            for key in self.selector.keys():
                if key.fileobj is fileobj:
                    return key.fd
            raise

    def __len__(self):
        return len(self.selector.keys())

    def __getitem__(self, fileobj):
        try:
            return self.selector.find(self.descriptor(fileobj))
        except ValueError:
            raise KeyError(f"{fileobj!r} is not registered") from None

    def __iter__(self):
        return iter([key.fd for key in self.selector.keys()])


class Selector(selectors.BaseSelector):
    def __init__(self):
        self._selector = _socket.selector()
        self._map = Mapping(self._selector)

    def _key(self, fileobj, events, data):
        return selectors.SelectorKey(fileobj, self._map.descriptor(fileobj), events, data)

    def register(self, fileobj, events, data=None):
        key = self._key(fileobj, events, data)
        self._selector.register(key.fd, events, key)
        return key

    def unregister(self, fileobj):
        try:
            return self._selector.unregister(self._map.descriptor(fileobj))
        except ValueError:
            raise KeyError(f"{fileobj!r} is not registered") from None

    def modify(self, fileobj, events, data=None):
        key = self._key(fileobj, events, data)
        self._selector.modify(key.fd, events, key)
        return key

    def select(self, timeout=None):
        return self._selector.select(timeout if timeout is None or timeout > 0 else 0)

    def close(self):
        self._selector.close()
        self._map = None

    def get_map(self):
        return self._map

    def fileno(self):
        return self._selector.fileno()


selectors.DefaultSelector = Selector
for name in ("EpollSelector", "KqueueSelector"):
    if hasattr(selectors, name):
        setattr(selectors, name, Selector)
