// SPDX-License-Identifier: MIT
// The peer of peers_test.cpp on Java's JSSE: JavaPeer.java FOLDER VERSION server | client PORT | busy SIZE.
// Makes two connections with client certificates and ALPN; the second resumes the session of the first. If busy, it is a
// server that sends and receives SIZE bytes at the same time, with a KeyUpdate after every 10 records.

import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import javax.net.ssl.*;

public class JavaPeer {
  static X509Certificate certificate(Path path) throws Exception {
    try (InputStream in = Files.newInputStream(path)) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  static PrivateKey key(Path path) throws Exception {
    String text = Files.readString(path).replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
  }

  static void talk(SSLSocket s, boolean server) throws Exception {
    s.startHandshake();
    SSLSession session = s.getSession();
    String peer = ((X509Certificate) session.getPeerCertificates()[0]).getSubjectX500Principal().getName();
    BufferedReader in = new BufferedReader(new InputStreamReader(s.getInputStream(), StandardCharsets.US_ASCII));
    OutputStream out = s.getOutputStream();
    if (server) {
      out.write((in.readLine() + "\n").getBytes(StandardCharsets.US_ASCII));
      out.flush();
      System.out.println("end " + in.readLine());
    } else {
      out.write("from Java\n".getBytes(StandardCharsets.US_ASCII));
      out.flush();
      System.out.println("echo " + in.readLine());
    }
    System.out.println("alpn " + s.getApplicationProtocol() + " peer " + peer);
    s.close();
  }

  static String hex(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte one : bytes) text.append(String.format("%02x", one));
    return text.toString();
  }

  static void closeQuietly(SSLSocket s) {
    try {
      s.close();
    } catch (Throwable e) {
      // What failed first is reported.
    }
  }

  static void exchange(SSLSocket s, int size) throws Exception {
    s.startHandshake();
    byte[] data = new byte[size];
    for (int i = 0; i < size; ++i) data[i] = (byte) (i * 2246822519L >> 11);
    MessageDigest received = MessageDigest.getInstance("SHA-256");
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    Thread sending = new Thread(() -> {
      try {
        // JSSE checks its limit after each call.
        for (int at = 0; at < size; at += 16384) s.getOutputStream().write(data, at, Math.min(16384, size - at));
        s.shutdownOutput();
      } catch (Throwable e) {
        failures.add(e);
        closeQuietly(s);
      }
    });
    sending.start();
    try {
      byte[] piece = new byte[65536];
      for (int count; (count = s.getInputStream().read(piece)) > 0;) received.update(piece, 0, count);
    } catch (Throwable e) {
      failures.add(e);
      closeQuietly(s);
    }
    sending.join();
    for (Throwable failure : failures) failure.printStackTrace();
    if (!failures.isEmpty()) System.exit(1);
    System.out.println("sent " + hex(MessageDigest.getInstance("SHA-256").digest(data)));
    System.out.println("received " + hex(received.digest()));
    s.close();
  }

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    boolean busy = arguments[2].equals("busy");
    if (busy) // before JSSE reads it
      Security.setProperty("jdk.tls.keyLimits", "AES/GCM/NoPadding KeyUpdate 163840, ChaCha20-Poly1305 KeyUpdate 163840");
    boolean server = busy || arguments[2].equals("server");
    String own = server ? "server" : "client";
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(null, null);
    keys.setKeyEntry("own", key(folder.resolve(own + ".key")), new char[0],
        new java.security.cert.Certificate[] {certificate(folder.resolve(own + ".pem"))});
    keys.setCertificateEntry("authority", certificate(folder.resolve("ca.pem")));
    KeyManagerFactory mine = KeyManagerFactory.getInstance("PKIX");
    mine.init(keys, new char[0]);
    TrustManagerFactory trusted = TrustManagerFactory.getInstance("PKIX");
    trusted.init(keys);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(mine.getKeyManagers(), trusted.getTrustManagers(), null);
    SSLServerSocket listener = null;
    if (server) {
      listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0);
      System.out.println("port " + listener.getLocalPort());
    }
    for (int i = 0; i < 2; ++i) {
      SSLSocket s = server ? (SSLSocket) listener.accept()
          : (SSLSocket) context.getSocketFactory().createSocket("localhost", Integer.parseInt(arguments[3]));
      SSLParameters parameters = s.getSSLParameters();
      parameters.setProtocols(new String[] {arguments[1]});
      parameters.setApplicationProtocols(new String[] {"h2", "http/1.1"});
      if (server) parameters.setNeedClientAuth(true);
      else parameters.setEndpointIdentificationAlgorithm("HTTPS");
      s.setSSLParameters(parameters);
      if (busy) {
        exchange(s, Integer.parseInt(arguments[3]));
        return;
      }
      talk(s, server);
    }
  }
}
