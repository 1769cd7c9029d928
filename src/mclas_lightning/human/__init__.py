"""Human evaluation as in section 5.5: sheets for annotators, best-worst scaling, agreement."""
