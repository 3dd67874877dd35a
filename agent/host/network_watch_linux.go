package host

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

var bigEndian = binary.BigEndian

// Watch listens to the kernel's own news of packet rules (NFNLGRP_NFTABLES).
// What our sets do by themselves or by Beat and Admit is no news.
func (n *SystemNetwork) Watch(ctx context.Context) (<-chan struct{}, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{Groups: 1 << (unix.NFNLGRP_NFTABLES - 1)})
	if err != nil {
		return nil, fmt.Errorf("listening for packet rules: %w", err)
	}
	news := make(chan struct{}, 1)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	go func() {
		defer close(news)
		defer stop()
		defer conn.Close()
		for {
			messages, err := conn.Receive()
			if err != nil && ctx.Err() != nil {
				return
			}
			// Too much news at once is lost (ENOBUFS): that is news too.
			if err != nil && !isOverrun(err) {
				return
			}
			if err != nil || concerns(messages) {
				select {
				case news <- struct{}{}:
				default:
				}
			}
		}
	}()
	return news, nil
}

func isOverrun(err error) bool {
	var fault *netlink.OpError
	return asOpError(err, &fault) && fault.Err == unix.ENOBUFS
}

func concerns(messages []netlink.Message) bool {
	for _, message := range messages {
		if aboutUs(message) {
			return true
		}
	}
	return false
}

// aboutUs reports whether a message tells of our table. Its name is attribute 1
// of every kind of message, the set's name attribute 2 of those about elements.
func aboutUs(message netlink.Message) bool {
	if message.Header.Type>>8 != unix.NFNL_SUBSYS_NFTABLES || len(message.Data) < 4 {
		return false
	}
	attrs, err := netlink.NewAttributeDecoder(message.Data[4:])
	if err != nil {
		return false
	}
	var table, second string
	for attrs.Next() {
		switch attrs.Type() {
		case 1:
			table = name(attrs.Bytes())
		case 2:
			second = name(attrs.Bytes())
		}
	}
	if table != tableName {
		return false
	}
	switch message.Header.Type & 0xff {
	case unix.NFT_MSG_NEWSETELEM, unix.NFT_MSG_DELSETELEM:
		return second != setFilter && second != setKnown4 && second != setKnown6
	case unix.NFT_MSG_NEWGEN:
		return false
	}
	return true
}

func name(data []byte) string { return string(bytes.TrimRight(data, "\x00")) }
