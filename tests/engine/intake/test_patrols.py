"""Which categories patrols find rather than victims report: names as cities have them, and the right answers."""

from __future__ import annotations

import pytest

from riskengine.intake.patrols import find_patrol_group

#: By what patrols find; None has what victims and witnesses report.
RIGHT: dict[str | None, tuple[str, ...]] = {
    "drugs": (
        *("Drugs", "Drug offences", "DRUG/NARCOTIC", "Drug abuse violations", "Drug equipment violations"),
        *("Drug trafficking", "Drug possession", "NARCOTICS", "OTHER NARCOTIC VIOLATION", "DANGEROUS DRUGS"),
        *("Controlled substances", "POSS: CANNABIS 30GMS OR LESS", "POSS: HEROIN(WHITE)", "MANU/DELIVER:CRACK"),
        *("NARCOMENUDEO POSESION SIMPLE", "DELITOS CONTRA LA SALUD", "Posesión de drogas"),
        "NARCOMENUDEO POSESIÓN CON FINES DE VENTA, COMERCIO Y SUMINISTRO",
    ),
    "weapons": (
        *("WEAPONS VIOLATION", "WEAPON LAWS", "Weapons", "Weapons offences", "DANGEROUS WEAPONS"),
        *("Possession of weapons", "Possession of firearms", "Firearm possession", "Carrying concealed weapon"),
        *("CONCEALED CARRY LICENSE VIOLATION", "UNLAWFUL POSS OF HANDGUN", "Possession of an offensive weapon"),
        *("PORTACION ARMA DE FUEGO", "PORTACIÓN DE ARMA DE FUEGO", "LEY FEDERAL DE ARMAS DE FUEGO Y EXPLOSIVOS"),
        "PORTACIÓN, FABRICACIÓN E IMPORTACIÓN DE OBJETOS APTOS PARA AGREDIR",
    ),
    "prostitution": ("PROSTITUTION", "PROSTITUTION/COMMERCIALIZED VICE", "Vice", "SOLICIT ON PUBLIC WAY", "LENOCINIO"),
    "gambling": ("GAMBLING", "Illegal gambling"),
    "driving offences": (
        *("Driving under the influence", "DUI", "Drunk driving", "Drink driving", "INTOXICATED/IMPAIRED DRIVING"),
        *("Traffic offences", "Traffic Violation Arrest", "VEHICLE AND TRAFFIC LAWS", "Reckless driving"),
    ),
    "public order": (
        *("Public order", "PUBLIC PEACE VIOLATION", "Disorderly conduct", "Disturbing the peace", "DRUNKENNESS"),
        *("Public drunkenness", "LIQUOR LAW VIOLATION", "Liquor", "SELL/GIVE/DEL LIQUOR TO MINOR", "LOITERING"),
        *("Curfew", "PUBLIC INDECENCY", "ATAQUES A LA PAZ PUBLICA"),
    ),
    "resisting the police": (
        *("INTERFERENCE WITH PUBLIC OFFICER", "Resisting arrest", "RESIST/OBSTRUCT/DISARM OFFICER"),
        "DESOBEDIENCIA Y RESISTENCIA DE PARTICULARES",
    ),
    "stolen goods found": (
        *("STOLEN PROPERTY", "Possession of stolen property", "POSESION DE VEHICULO ROBADO"),
        "ENCUBRIMIENTO POR FAVORECIMIENTO Y RECEPTACIÓN",
    ),
    "going equipped": ("Going equipped for stealing", "POSSESSION OF BURGLARY TOOLS"),
    "warrants": ("WARRANTS", "Warrant arrest", "PAROLE VIOLATION", "SEX OFFENDER: FAIL TO REGISTER"),
    "possession": ("Possession", "ILLEGAL POSSESSION BY MINOR"),
    None: (
        *("BURGLARY", "THEFT", "ROBO", "Robbery", "Robbery with a weapon", "DRUG STORE ROBBERY", "DRUGSTORE ROBBERY"),
        *("Theft from drug store", "Theft of drugs", "Theft of firearm", "Liquor store robbery", "GRAND LARCENY"),
        *("ASSAULT WITH DEADLY WEAPON", "ASSAULT WITH A DANGEROUS WEAPON", "AGG. ASSAULT", "Homicide by firearm"),
        *("ARMED: OTHER DANGEROUS WEAPON", "STRONGARM - NO WEAPON", "SHOOTING", "Violence and sexual offences"),
        *("Traffic collision", "Traffic accident", "Hit and run", "Drug overdose", "Human trafficking", "TRESPASS"),
        *("Anti-social behaviour", "Criminal damage and arson", "Vehicle crime", "Fraud", "Motor vehicle theft"),
        *("ROBO A NEGOCIO CON VIOLENCIA", "ROBO DE ARMA", "LESIONES INTENCIONALES POR ARMA DE FUEGO", "DESPOJO"),
        *("HOMICIDIO POR ARMA DE FUEGO", "DISPAROS DE ARMA DE FUEGO", "FEMINICIDIO POR DISPARO DE ARMA DE FUEGO"),
        *("LESIONES CULPOSAS POR TRANSITO VEHICULAR", "TRATA DE PERSONAS", "VIOLENCIA FAMILIAR", "AMENAZAS"),
    ),
}


@pytest.mark.parametrize(("category", "group"), [(name, group) for group, names in RIGHT.items() for name in names])
def test_what_patrols_find(category: str, group: str | None) -> None:
    assert find_patrol_group(category) == group
