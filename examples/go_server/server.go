// A web server of Go's net/http for Linux, with nothing of libbaremetal in it: a goroutine for each connection, on all cores.
// `server PORT`; GREETING is its first word.
// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"syscall"
	"time"
)

// text is a field of uname as a string.
func text(field [65]int8) string {
	var bytes []byte
	for _, char := range field {
		if char == 0 {
			break
		}
		bytes = append(bytes, byte(char))
	}
	return string(bytes)
}

func main() {
	greeting, port := "Hi", "8080"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	if word, set := os.LookupEnv("GREETING"); set {
		greeting = word
	}
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		var system syscall.Utsname
		if err := syscall.Uname(&system); err != nil {
			http.Error(answer, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(answer, "%s from an executable for %s on %s, which has %d cores.\n", greeting, text(system.Sysname),
			text(system.Nodename), runtime.NumCPU())
	})
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("serving on port", port)
	server := http.Server{ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	log.Fatal(server.Serve(listener))
}
