--
-- PostgreSQL database dump
--
CREATE TABLE public.elev (
    id integer NOT NULL,
    namn text
);
COPY public.elev (id, namn) FROM stdin;
1	Åsa\tÖ 19850709-2388
2	\N
\.

ALTER TABLE public.elev OWNER TO skola; -- it's done
INSERT INTO public."vård_nad" VALUES (1, 'C:\temp\', 'it''s');
