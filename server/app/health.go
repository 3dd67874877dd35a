package app

import (
	"crypto/subtle"
	"log/slog"
	"net"
	"net/http"
	"strings"

	stdlog "log"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// health mounts what machines ask: alive, ready, and the figures.
func (a *App) health(engine *gin.Engine) {
	engine.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "ok") })
	engine.GET("/readyz", func(c *gin.Context) {
		if err := a.Store.Ready(c.Request.Context()); err != nil {
			c.String(http.StatusServiceUnavailable, "the database does not answer")
			return
		}
		c.String(http.StatusOK, "ready")
	})
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("schulwart_streams", "Devices that hold an open stream.", func() float64 { return float64(a.Streams.Count()) }),
		gauge("schulwart_boards", "Open pages that are told of changes.", func() float64 { return float64(a.Live.Count()) }))
	a.devices.meter(registry)
	figures := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	engine.GET("/metrics", func(c *gin.Context) {
		if !a.mayMeasure(c.Request) {
			c.String(http.StatusForbidden, "metrics need the bearer token that --metrics-token names, or a request from this machine")
			return
		}
		figures.ServeHTTP(c.Writer, c.Request)
	})
}

func gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

// mayMeasure asks for the token, or, where none is set, for a request from this
// machine that no proxy passed on.
func (a *App) mayMeasure(r *http.Request) bool {
	if token := a.Config.MetricsToken; token != "" {
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		return subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback() && r.Header.Get("X-Forwarded-For") == ""
}

// quiet writes what net/http complains about at debug level: a port that is
// open to the world is knocked at all day.
func quiet(log *slog.Logger) *stdlog.Logger { return slog.NewLogLogger(log.Handler(), slog.LevelDebug) }
