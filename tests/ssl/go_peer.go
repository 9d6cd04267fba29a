// SPDX-License-Identifier: MIT
// The peer of peers_test.cpp on Go's crypto/tls: go_peer FOLDER VERSION server | client PORT | busy
// SIZE. Makes two connections with client certificates and ALPN; the second resumes the session of
// the first. If busy, it is a server that sends and receives SIZE bytes at the same time.
package main

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
)

func check(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func talk(conn *tls.Conn, server bool) {
	check(conn.Handshake())
	state := conn.ConnectionState()
	fmt.Println("alpn", state.NegotiatedProtocol, "resumed", state.DidResume, "peer", state.PeerCertificates[0].Subject.CommonName)
	if server {
		line, err := bufio.NewReader(conn).ReadString('\n')
		check(err)
		_, err = io.WriteString(conn, line)
		check(err)
		rest, err := io.ReadAll(conn)
		check(err)
		fmt.Println("end", len(rest))
	} else {
		_, err := io.WriteString(conn, "from Go\n")
		check(err)
		line, err := bufio.NewReader(conn).ReadString('\n')
		check(err)
		fmt.Print("echo ", line)
	}
	check(conn.Close())
}

func exchange(conn *tls.Conn, size int) {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(uint64(i) * 2246822519 >> 11)
	}
	sending := make(chan bool)
	go func() {
		// Write in pieces, because a call holds the connection's lock until it returns.
		for at := 0; at < size; at += 16384 {
			_, err := conn.Write(data[at:min(at+16384, size)])
			check(err)
		}
		sending <- true
	}()
	received := sha256.New()
	_, err := io.CopyN(received, conn, int64(size))
	check(err)
	<-sending
	// Only here, because after its closing alert Go rejects a KeyUpdate that requests one.
	check(conn.CloseWrite())
	_, err = io.Copy(io.Discard, conn)
	check(err)
	fmt.Printf("sent %x\nreceived %x\n", sha256.Sum256(data), received.Sum(nil))
	check(conn.Close())
}

func main() {
	folder := os.Args[1] + "/"
	version := uint16(tls.VersionTLS12)
	if os.Args[2] == "TLSv1.3" {
		version = tls.VersionTLS13
	}
	authority, err := os.ReadFile(folder + "ca.pem")
	check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	config := &tls.Config{MinVersion: version, MaxVersion: version, NextProtos: []string{"h2", "http/1.1"}, RootCAs: pool, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert, ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	own := "client"
	if os.Args[3] != "client" {
		own = "server"
	}
	pair, err := tls.LoadX509KeyPair(folder+own+".pem", folder+own+".key")
	check(err)
	config.Certificates = []tls.Certificate{pair}
	if own == "client" {
		for i := 0; i < 2; i++ {
			conn, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[4], config)
			check(err)
			talk(conn, false)
		}
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	if os.Args[3] == "busy" {
		size, err := strconv.Atoi(os.Args[4])
		check(err)
		conn, err := listener.Accept()
		check(err)
		exchange(tls.Server(conn, config), size)
		return
	}
	for i := 0; i < 2; i++ {
		conn, err := listener.Accept()
		check(err)
		talk(tls.Server(conn, config), true)
	}
}
