package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// Config gives the API the parts it needs.
type Config struct {
	Writer   Writer
	Register Register
	Files    DrawFiles
	Signer   BatchSigner
	Evidence Evidence
	Secret   Secret
	Clock    func() time.Time // for "today" in Asia/Shanghai
	Version  string           // of this program
	Embedded bool             // the network is the embedded one
	Ready    func() error     // why the gateway cannot serve, or nil
	// Following says how the gateway keeps up with the ledger; nil: nobody knows.
	Following func() public.Following
	Upload    int64         // bytes of an uploaded file
	Beacons   []KnownBeacon // those that plans may pin
	Courier   Principal     // submits what anybody may bring
	Leaves    LeavesOf
	Posts     []Principal // of this gateway's wallet
}

// Server answers the REST interface.
type Server struct {
	writer    Writer
	register  Register
	files     DrawFiles
	signer    BatchSigner
	evidence  Evidence
	secret    Secret
	clock     func() time.Time
	version   string
	embedded  bool
	ready     func() error
	following func() public.Following
	upload    int64
	beacons   []KnownBeacon
	courier   Principal
	leaves    LeavesOf
	posts     []Principal
	holders   holderNames
}

// New makes the API.
func New(c Config) *Server {
	if c.Following == nil {
		c.Following = func() public.Following { return public.Following{} }
	}
	return &Server{
		writer: c.Writer, register: c.Register, files: c.Files, signer: c.Signer, evidence: c.Evidence, secret: c.Secret,
		clock: c.Clock, version: c.Version, embedded: c.Embedded, ready: c.Ready, following: c.Following, upload: c.Upload,
		beacons: c.Beacons, courier: c.Courier, leaves: c.Leaves, posts: c.Posts,
	}
}

// Mount registers every route.
func (s *Server) Mount(e *echo.Echo) {
	e.Use(s.sayCurrent)
	for _, route := range s.readRoutes() {
		e.GET(route.Path, serveRead(route))
	}
	for _, route := range writeRoutes() {
		e.Add(route.Method, route.Path, s.serveWrite(route))
	}
	s.mountCertificates(e)
	s.mountVerify(e)
	e.POST(directoriesPath, s.importDirectories)
	s.mountExports(e)
	s.mountDrawFiles(e)
	s.mountService(e)
}

// today is the civil date in Asia/Shanghai.
func (s *Server) today() metrology.Date { return metrology.DateOf(s.clock()) }

// EmbeddedNotice says what the embedded network is not. Every page shows it.
const EmbeddedNotice = "Embedded network: one operator runs all organisations. This is a signed, hash-chained log for trying, developing, testing and single-office use, not a blockchain of independent parties."

// ServiceStatus is the answer of GET /v1/status.
type ServiceStatus struct {
	public.Status
	Version   string           `json:"version"`
	Embedded  bool             `json:"embedded"`
	Notice    string           `json:"notice,omitempty"`
	Today     string           `json:"today"` // in Asia/Shanghai
	Following public.Following `json:"following"`
}

func (s *Server) status(ctx context.Context) (any, error) {
	state, err := s.register.Status(ctx)
	if err != nil {
		return nil, err
	}
	status := ServiceStatus{Status: state, Version: s.version, Embedded: s.embedded, Today: string(s.today()), Following: s.following()}
	if s.embedded {
		status.Notice = EmbeddedNotice
	}
	return status, nil
}

func (s *Server) mountService(e *echo.Echo) {
	e.GET("/healthz", func(c echo.Context) error { return c.JSON(http.StatusOK, map[string]string{"status": "ok"}) })
	e.GET("/readyz", func(c echo.Context) error {
		if err := s.ready(); err != nil {
			return &Fault{Kind: FaultUnavailable, RetryAfter: time.Second, Err: err}
		}
		return c.JSON(http.StatusOK, map[string]string{"status": "ready"})
	})
	e.GET("/v1/identity", serveIdentity)
	e.GET("/v1/draws/:id/leaves/:siteId", s.serveLeaf)
	e.GET("/v1/visits", s.serveVisits)
	e.GET("/openapi.json", serveDocument)
	e.GET("/problems/:name", serveProblemPage)
}

// Identity is who a token stands for.
type Identity struct {
	Label   string         `json:"label"` // in the gateway's wallet
	MSP     string         `json:"msp"`
	Role    metrology.Role `json:"role"`
	Subject string         `json:"subject"` // opaque id of the post, by which others name it
}

// serveIdentity tells a client who its token stands for.
func serveIdentity(c echo.Context) error {
	who, err := principal(c.Request().Context())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, Identity{Label: who.Label, MSP: who.MSP, Role: metrology.Role(who.Role), Subject: who.Subject})
}

// serveProblemPage explains a problem type to whoever follows its address.
func serveProblemPage(c echo.Context) error {
	kind, known := problemKinds[c.Param("name")]
	if !known {
		return metrology.Errorf(metrology.CodeNotFound, "there is no problem type %q", c.Param("name"))
	}
	lines := []string{kind.Title, "", kind.Advice, "", "HTTP status: " + http.StatusText(kind.Status), "Code: " + kind.Code}
	if kind.Retryable {
		lines = append(lines, "The same request may succeed later.")
	}
	return c.String(http.StatusOK, strings.Join(lines, "\n")+"\n")
}
