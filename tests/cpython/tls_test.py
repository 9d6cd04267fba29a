# SPDX-License-Identifier: MIT
"""A TLS connection through CPython's ssl, which reads the socket's memory through the capsule _socket.CAPI."""
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest


class TLSTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.certificate, cls.key = folder.name + "/certificate.pem", folder.name + "/key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        command += ["-addext", "subjectAltName=DNS:localhost", "-out", cls.certificate, "-keyout", cls.key]
        subprocess.run(command, check=True, capture_output=True)

    def setUp(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.trusting = ssl.create_default_context(cafile=self.certificate)

    def serve(self, talk):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)

        def run():
            with self.listener.accept()[0] as plain:
                try:
                    with context.wrap_socket(plain, server_side=True) as secured:
                        talk(secured)
                except OSError:
                    pass  # seen by the client

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)

    def connect(self, timeout=30):
        plain = socket.create_connection(self.listener.getsockname(), timeout)
        self.addCleanup(plain.close)
        return plain

    def echo(self, secured):
        while data := secured.recv(65536):
            secured.sendall(data)

    def test_echo(self):
        self.serve(self.echo)
        with self.trusting.wrap_socket(self.connect(), server_hostname="localhost") as secured:
            self.assertIn(secured.version(), ("TLSv1.2", "TLSv1.3"))
            self.assertEqual(secured.getpeercert()["subject"], ((("commonName", "localhost"),),))
            sent = bytes(range(256)) * 256
            secured.sendall(sent)
            received = b""
            while len(received) < len(sent):
                received += secured.recv(65536)
            self.assertEqual(received, sent)

    def test_blocking(self):
        self.serve(self.echo)
        with self.trusting.wrap_socket(self.connect(None), server_hostname="localhost") as secured:
            secured.sendall(b"blocking")
            self.assertEqual(secured.recv(100), b"blocking")

    def test_timeout_changed_later(self):
        self.serve(self.echo)
        with self.trusting.wrap_socket(self.connect(), server_hostname="localhost") as secured:
            secured.settimeout(0.05)
            with self.assertRaises(TimeoutError):
                secured.recv(1)
            secured.settimeout(0)
            with self.assertRaises(ssl.SSLWantReadError):
                secured.recv(1)
            secured.settimeout(30)
            secured.sendall(b"still there")
            self.assertEqual(secured.recv(100), b"still there")

    def test_untrusted(self):
        self.serve(self.echo)
        with self.assertRaises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(self.connect(), server_hostname="localhost")

    def test_closed(self):
        self.serve(self.echo)
        secured = self.trusting.wrap_socket(self.connect(), server_hostname="localhost")
        secured.close()
        with self.assertRaises(OSError) as caught:
            secured.recv(1)
        self.assertEqual(caught.exception.errno, 9)

    def test_descriptor_closed_under_a_session(self):
        self.serve(self.echo)
        secured = self.trusting.wrap_socket(self.connect(), server_hostname="localhost")
        session = secured._sslobj
        socket.close(secured.detach())
        with self.assertRaises(OSError):
            session.read(1)


if __name__ == "__main__":
    unittest.main()
