// SPDX-License-Identifier: MIT
// The other end of peers_test.cpp on Go's crypto/tls: go_peer FOLDER VERSION server | client PORT.
// Two connections with client certificates and ALPN, of which the second resumes the first.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
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
	if os.Args[3] == "server" {
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
	for i := 0; i < 2; i++ {
		conn, err := listener.Accept()
		check(err)
		talk(tls.Server(conn, config), true)
	}
}
