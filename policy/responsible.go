package policy

import "strings"

// Responsible says who answers for what lies at a place: by the first mapping
// that fits, else by the controller that the configuration names for the
// source. The zero Responsible means that nobody is known to.
func (p *Policy) Responsible(at Place) Responsible {
	r, _, _ := p.responsible(at)
	return r
}

// responsible also returns the ids of the controller and the department.
func (p *Policy) responsible(at Place) (r Responsible, controller, department string) {
	for _, m := range p.mapping {
		if m.sources.fit(at.Source) && m.sites.fit(at.Site) && m.paths.fit(at.Path) {
			return m.responsible, m.controller, m.department
		}
	}
	if at.Controller == "" {
		return Responsible{}, "", ""
	}
	for _, c := range p.controllers {
		if c.ID == at.Controller || strings.EqualFold(c.Name, at.Controller) {
			r, controller = p.answers(c.ID, "")
			return r, controller, ""
		}
	}
	return Responsible{Controller: at.Controller}, "", ""
}

// answers looks up a controller or a department by id and returns the id of
// the controller. A department without a head is answered for by the
// controller's.
func (p *Policy) answers(controller, department string) (Responsible, string) {
	for _, c := range p.controllers {
		for _, d := range c.Departments {
			if department != "" && d.ID == department {
				r := Responsible{Controller: c.Name, Department: d.Name, Head: d.Head, Mail: d.Mail}
				if r.Head == "" && r.Mail == "" {
					r.Head, r.Mail = c.Head, c.Mail
				}
				return r, c.ID
			}
		}
		if department == "" && c.ID == controller {
			return Responsible{Controller: c.Name, Head: c.Head, Mail: c.Mail}, c.ID
		}
	}
	return Responsible{}, ""
}
