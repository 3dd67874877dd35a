package web

func (p SitePage) siteTitle() string {
	if p.ID == "" {
		return p.T("sites.new")
	}
	return p.Name
}

func (p SitePage) sitePath() string {
	if p.ID == "" {
		return PathSiteNew
	}
	return To(PathSite, p.ID)
}
