"""Sentences, forms and letters around values that Faker makes, as lines for `train`: python synthesize.py MIRROR OUT COUNT SEED

Public annotated text is news, encyclopedias and posts; letters, tickets, forms and records with addresses are hardly public.
These sentences are ours. They teach, and never measure.
"""
import csv
import io
import json
import pathlib
import random
import re
import subprocess
import sys

from faker import Faker

MIRROR, OUT, COUNT, SEED = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
random.seed(SEED)
Faker.seed(SEED)

ENGLISH = """Hi, this is {P} from {O}. Could you call me back at {phone}?
My name is {P} and I would like to change my booking for {date}.
I'm {F}, nice to meet you!
{P} asked me to forward this to you.
Please ship the replacement to {A}.
Ship to: {P}, {A}
The parcel should go to {P}\\n{A}
We moved from {C} to {C} in {year}, and now live at {A}.
Bill to:\\n{O}\\n{A}
Invoice {num}\\nCustomer: {P}\\nCompany: {O}\\nAddress: {A}\\nPhone: {phone}
Name: {P}\\nDate of birth: {date}\\nEmail: {email}\\nCity: {C}\\nCountry: {K}
Full name: {P}
Patient {P}, born {date}, was admitted on {day}.
Pt: {P} MRN {num}. Seen by {T} {L} for follow-up.
{T} {L} prescribed the medication; {F} took it twice.
Does {O} have an office in {C}?
What is the address of {O}? It is {A}.
{O}, {A}
The headquarters of {O} are at {A}.
I used to work for {O} in {C}, {K}, before I joined {O}.
{O} announced on {day} that it will buy {O} for {num} dollars.
Shares of {O} rose after {O} cut its forecast.
{P}, chief executive of {O}, told reporters in {C} that the deal was done.
{P} and {P} founded {O} in {year}.
Have you heard of {O}? They were on TV yesterday.
I applied for a job at {O} last week.
Can I pay my {O} bill with a card that was issued in {K}?
The contract between {O} and {O} ends in {month}.
Dear {F},\\n\\nThank you for your letter of {date}. We will visit {C} in {month}.\\n\\nBest regards,\\n{P}
Dear {T} {L},\\nYour claim {num} was approved.\\nSincerely,\\n{P}\\n{O}
Hello {F}, how was {C}?
Thanks, {F}
Cheers,\\n{F}
Regards\\n{P}\\n{O}\\n{A}\\nTel. {phone}
From: {P} <{email}>\\nTo: {P}\\nSubject: Meeting in {C}
On {day}, {P} wrote:
cc {P}, {P} and {P}
@{F} can you look at this with {F}?
{F}: are you coming tonight?\\n{F}: yes, with {F} and her brother
Who is {P}?
When was {P} born?
Is {C} bigger than {C}?
How far is it from {C} to {C} by train?
What's the weather like in {C} tomorrow?
Book me a flight from {C} to {C} for {P}, please.
I lost my passport in {C}. It was issued in {K} to {P}.
The embassy of {K} in {C} is closed on {day}.
People in {K} speak several languages.
She grew up in {C}, {K}.
He is {N} and lives in {K}.
I want to increase the limit on my card, the billing address is {A}.
My new address is {A}. Please update my account {num}.
Please send it to {A} instead of {A}.
Where is {A}? I cannot find it on the map.
You can find me at {A}, ask for {F}.
The house at {A} was sold to {P} for {num}.
Deliver to {P} c/o {O}, {A}
Landlord: {P}, residing at {A}. Tenant: {P}.
This agreement is made between {O}, having its office at {A}, and {P}.
The witness, {T} {L}, stated that {P} left {C} on {date}.
{L} v. {L}, decided in {year}.
{P} ({O}) won ahead of {P} ({O}).
{P} scored twice for {O} against {O} in {C}.
{F}'s mother called from {C}.
{P}'s account at {O} was closed.
{L}'s book is about {K} in {month} {year}.
Did {P} sign the form? {F} said no.
I spoke with {F} from support on {day}, she promised a refund.
Meet {P}, our new engineer. {F} studied at {O}.
{F} {L} has a PhD from {O} and teaches at {O}.
The email address of {P} is {email}.
My SSN is {num}, {P}.
Card number {num}, holder {P}
Account holder: {P}; bank: {O}; branch: {C}
Wire the money to {P}, {O}, {C}.
Contact {P} at {email} or {phone}.
Emergency contact: {P} (wife), {phone}
Reviewed by {P} on {date}.
Author: {P}\\nVersion: {num}
Signed-off-by: {P} <{email}>
The song by {P} is great, I heard it in {C}.
{P} played the piano at {O}.
Hey {F}! It's {F} here.
hi {F}, can you send me the report for {O}
To {F}: do not forget the keys.
Could {F} or {F} take over on {day}?
Mom, {F} and I are in {C} now.
My boss {P} wants the figures of {O} by {day}.
{F} and {F} got married in {C} in {year}.
{P} lives near {C} with {F} and their dog.
Her husband, {P}, works for the {O}.
We stayed in a hotel in {C}, close to {C}.
I'd like to know more about {O}, its products and its management.
Is {O} a good employer?
Our supplier {O} has not delivered since {month}.
Please compare {O} with {O}.
Our customers include {O}, {O} and {O}.
name,city,company\\n{P},{C},{O}\\n{P},{C},{O}
| {P} | {O} | {C} |
{"name": "{P}", "employer": "{O}", "city": "{C}", "phone": "{phone}"}
{"first_name": "{F}", "last_name": "{L}", "address": "{A}"}
<name>{P}</name><city>{C}</city>
{LF}
Passenger: {LF}, seat {num}A, {C}-{C}
Student: {LF}; school: {O}
PATIENT: {PU}
ATTN: {PU}
DEAR {FU}, WELCOME TO {CU}!
Hello, I need help with my order {num}. It never arrived in {C}.
Zip code of {C}, {K}?
Directions from {A} to {A}
The meeting takes place at {A} at noon.
I am writing on behalf of {O} ({C}).
{O} is hiring in {C}. Ask {P} for details.
As {P} once said: "Nothing is free."
"I never met {T} {L}," said {P}.
{T} {P} will see you on {day}.
According to {L}, the plan of {O} failed.
The report by {L} and {L} ({year}) shows this.
{F} asked whether {L} had paid.
Tell {F} that {O} called about the flat at {A}.
I was born in {C} but my passport says {C}.
The driver, {P} of {C}, {K}, was not hurt.
Residents of {C} want the {O} to build a bridge.
Attn {P}\\n{O}
For the attention of {P}
To {P}
1. {LP}\\n2. {LP}\\n3. {LP}
Present: {LP}, {LP}, {P}.
{LP}
{L} will call back on {day}; {L} has the file.
{L} asked {P} for help.
Mr {L} slept while Mrs {L} drove home.
{P} - {email}
The office is at {S}, {C}.
We met at {S} after lunch.
{S}
Deliver to {S}, please.
{P}\\n{O}\\n{S}\\n{C}
{P}, {S}, {C}, {K}
The flat in {S} is empty; {F} moved to {S}."""

# What has capitals and is no name of these kinds.
NOTHING = """The API returns JSON over HTTP; see the README for details.
Please Note: All Rights Reserved. Terms and Conditions apply.
Monday, Tuesday and Wednesday are busy; Thursday is free.
I speak English, German and French, but no Spanish.
How do I sort a list in Python? I know Java and C++.
Set MAX_SIZE to 10 and call GetValue() before OpenFile().
Happy New Year! Merry Christmas and a Happy Easter.
Chapter 3: How to Write Good Tests
Table 4. Results of the Second Experiment
Error: File Not Found (404). Try Again Later.
What is the difference between TCP and UDP? Explain OSI layers.
Write a Poem about Spring. Use Simple Words.
Summarize the following text in One Paragraph.
The Quick Start Guide explains Step 1 to Step 5.
Yes. No. Maybe. Thanks! Great! Sure, go ahead. OK.
She has a Master's degree in Computer Science.
He drives a new car and plays the Guitar on Sundays.
Dear Sir or Madam, I would like to complain.
To Whom It May Concern
Best Regards
Hello World
Order Number: {num}\\nDate: {date}\\nTotal: {num} USD\\nStatus: Shipped
First Name: \\nLast Name: \\nStreet: \\nZIP:
Why is my Wi-Fi slow? My CPU is at 100% and GPU is idle.
The LLM answered in Markdown with a Table and a List.
Section 2.1 Introduction\\nSection 2.2 Related Work
My card has a limit of {num} EUR since {month} {year}.
What is my balance? When does my Visa expire? Can I change my PIN?
I'd like to order Pizza and a Coke.
Is the Gold Card better than the Platinum Card?
I want to cancel my card. Please block it on {day}.
You are a helpful assistant. Answer in JSON. Do not make things up.
Would you like tea? Or Coffee? The Menu is on the Table.
The SELECT statement needs a WHERE clause; use GROUP BY and ORDER BY.
Mein Hund ist krank. Das Haus hat einen Garten und eine Garage mit Tor.
Die Rechnung ist falsch, bitte senden Sie den Betrag auf mein Konto zurück.
Der Vertrag, die Kündigung und das Schreiben liegen im Ordner auf dem Tisch.
Wie ist das Wetter am Montag? Im Sommer ist es zu heiß für Sport.
Können Sie mir die Unterlagen bis Freitag schicken? Vielen Dank!
Bonjour, je voudrais annuler ma commande du {date}. Merci d'avance.
Buenos días, quiero cambiar mi contraseña. Gracias.
Buongiorno, vorrei sapere il saldo del conto.
Goedemorgen, wanneer komt mijn pakket?
Proszę o zmianę terminu. Dziękuję."""

NOTHING += """
What are the Opening Hours on {day}? Is the Pool heated?
Which Credit Cards do you accept? I only have Visa and Mastercard.
I have seen The Godfather twice. Star Wars is better than Star Trek.
Have you read War and Peace, or The Old Man and the Sea?
The Beginner's Guide to Gardening is my favourite book.
My iPhone and my MacBook don't connect over Bluetooth, the Android phone does.
The World Cup, the Olympic Games and the Super Bowl are on TV.
In the Middle Ages and in World War II many people suffered.
Christmas Eve, Thanksgiving, Labor Day and Ramadan are holidays.
He won the Nobel Prize and a Grammy. She got an Oscar.
I am a Senior Software Engineer and she is Head of Marketing.
The President, the Prime Minister and the Queen had dinner.
My Driver License number is {num}, my passport number {num}.
The CEO and the CFO met the Board on {day}. HR was not invited.
Vitamin C, Aspirin and Ibuprofen; COVID-19 and HIV tests.
I love Chinese food, Indian tea and Turkish coffee.
Christians, Muslims and Jews; Democrats and Republicans.
The Bible, the Koran, Latin, Hebrew and Arabic.
Please Help! My Account Is Locked And I Can't Log In!
FREE SHIPPING ON ALL ORDERS! BUY NOW AND SAVE {num}!
WARNING: DO NOT OPEN. HIGH VOLTAGE.
I want to Transfer Money to my Savings Account. Does this cost a Fee?
Account Number {num}. Routing Number {num}. Swift Code unknown.
When will my Statement arrive? Why was I Charged twice?
As I said, It was late. Then We left. However, They stayed.
Also, could you explain Photosynthesis? Thanks in Advance.
Use Windows 11 or Linux; Excel, Word and PowerPoint are installed.
Install Docker, then run Kubernetes. Use PostgreSQL with Redis.
Title: My Summer\nGenre: Drama\nRating: 5
Step 1: Mix Flour and Butter. Step 2: Bake.
Q: Why? A: Because.
I drive a Golf. He has a Mustang and a Corolla.
Track 3 is called Yellow River, track 4 Lonely Days.
I heard The Sound of Silence on the radio. I like Yesterday too.
The album Blue Moon came out in {year}.
| Title | Owner | Status | Due Date |\\n| --- | --- | --- | --- |
| Step | Input | Output | Notes |\\n| Parse | Text | Tree | Fast |
Name,Quantity,Price,Total\\nWidget,{num},{num},{num}
## Installation\\n\\n### Building From Source\\n\\n1. Open Preferences\\n2. Click Apply
Skills: Routing, Edge Computing, Load Balancing, Disaster Recovery, Agile and Scrum.
Experience with Automated Testing, Web Services, Mobile Apps, Linux and Windows Server.
import { Panel, Table, Sidebar } from "./widgets"; const Header = new Layout();
class OrderList extends BaseView { render(Context ctx) { return Panel; } }
from shapes import Circle, Square, Polygon
SELECT Title, Price FROM Products WHERE Colour = 'Red' ORDER BY Price;
Run Terraform, Ansible and Jenkins; Prometheus watches Nginx and Kafka.
Deploy with Helm to GKE, store in R2, queue in SQS, cache in Memcached.
The URL, the SDK and the GPU quota are in the FAQ. AMI, NAT and ACL need a role.
INFO Server started on port {num}\\nWARN Connection Pool exhausted\\nERROR Timeout in Worker {num}
Settings > Advanced > Reset Device
The Model is trained with Adam; Dropout, Batch Size and Learning Rate are in Table {num}.
THE DOOR OF THE SHED IS OPEN. WE NEED SOMEBODY TO LOOK AT THE LOCK.
PLEASE SEND THE UNIT BACK WITH THE BOX AND THE CABLE.
TypeError: Cannot read Property of Undefined\\nReferenceError: Window is not defined"""

OTHERS = {
    "de_DE": """Ich heiße {P} und wohne in {C}.
Meine Adresse lautet {A}.
Sehr geehrte Frau {L},\\nIhr Vertrag mit der {O} endet am {date}.\\nMit freundlichen Grüßen\\n{P}
Sehr geehrter Herr {L}, vielen Dank für Ihre Anfrage.
Liebe {F}, wie war es in {C}?
{P} arbeitet bei der {O} in {C}.
Die {O} hat ihren Sitz in {C}.
Bitte liefern Sie an {P}, {A}.
Herr {L} und Frau {L} trafen sich in {C} mit {P}.
Kunde: {P}\\nStraße: {A}\\nTelefon: {phone}
Der Sprecher von {O}, {P}, sagte am {day}, man wolle in {K} wachsen.
Ich möchte von {C} nach {C} fahren.
Der Umzug in die {S} ist am {day}.
Wir wohnen jetzt in der {S} in {C}.
Das Büro ist in der {S}.
Patient {P}, geboren am {date}, wurde von Dr. {L} untersucht.
{F} und {F} kommen am Samstag aus {C}.
Wer ist {P}? Er kommt aus {K}.
Die Stadt {C} liegt in {K}.
Rufen Sie bitte {P} unter {phone} an.
Gruß\\n{F}""",
    "fr_FR": """Je m'appelle {P} et j'habite à {C}.
Mon adresse est {A}.
Bonjour {F}, peux-tu appeler {P} ?
Madame {L}, votre dossier chez {O} est complet.
Monsieur {P}, {A}
La société {O} a son siège à {C}.
{P}, directeur de {O}, était à {C} lundi.
Livrez le colis à {P}, {A}.
Nous avons quitté {C} pour {C} en {year}.
Nom : {P}\\nVille : {C}\\nTéléphone : {phone}
Cordialement,\\n{P}\\n{O}
Le docteur {L} a vu {F} à {C}.
Le bureau est au {S}.
Habite {S}, {C}.
Il fait chaud à {C} et en {K}.
J'ai travaillé pour {O} avant {O}.""",
    "es_ES": """Me llamo {P} y vivo en {C}.
Mi dirección es {A}.
Hola {F}, ¿puedes llamar a {P}?
El señor {L} trabaja en {O}.
La empresa {O} tiene su sede en {C}.
Enviar a {P}, {A}.
Estimada Sra. {L}: su cuenta en {O} está abierta.
Nombre: {P}\\nDomicilio: {A}\\nCiudad: {C}
{P}, presidenta de {O}, viajó a {C} y a {K}.
Un saludo,\\n{P}
La oficina está en {S}.
El paciente {P} fue visto por la Dra. {L} en {C}.
¿A qué distancia está {C} de {C}?""",
    "it_IT": """Mi chiamo {P} e vivo a {C}.
Il mio indirizzo è {A}.
Ciao {F}, hai visto {P}?
Gentile Sig. {L}, il contratto con {O} è scaduto.
La sede di {O} è a {C}.
Spedire a {P}, {A}.
{P} lavora per {O} a {C}.
Nome: {P}\\nCittà: {C}
Cordiali saluti,\\n{P}
Il dottor {L} ha visitato {F}.
Presenti:\\n1. {LP}\\n2. {LP}\\n3. {LP}
Egr. Sig. {LP}
L'ufficio è in {S}.""",
    "nl_NL": """Mijn naam is {P} en ik woon in {C}.
Mijn adres is {A}.
Geachte mevrouw {L}, uw contract bij {O} loopt af.
Hoi {F}, heb je {P} gesproken?
{P} werkt bij {O} in {C}.
Stuur het pakket naar {P}, {A}.
De heer {L} kwam uit {C}.
Bezorgen op {S}.
Naam: {P}\\nPlaats: {C}
Met vriendelijke groet,\\n{P}""",
    "pl_PL": """Nazywam się {P} i mieszkam w mieście {C}.
Mój adres to {A}.
Pan {L} pracuje w {O}.
Proszę wysłać paczkę do {P}, {A}.
Firma {O} ma siedzibę w {C}.
Pozdrawiam,\\n{P}
Cześć {F}, tu {F}.""",
    "pt_BR": """Meu nome é {P} e moro em {C}.
Meu endereço é {A}.
Olá {F}, você falou com {P}?
A empresa {O} fica em {C}.
Enviar para {P}, {A}.
Senhora {L}, sua conta no {O} foi aberta.
Atenciosamente,\\n{P}""",
    "sv_SE": """Jag heter {P} och bor i {C}.
Min adress är {A}.
Hej {F}, har du träffat {P}?
{P} arbetar på {O} i {C}.
Vänliga hälsningar\\n{P}""",
    "da_DK": """Jeg hedder {P} og bor i {C}.
Min adresse er {A}.
{P} arbejder hos {O} i {C}.
Venlig hilsen\\n{P}""",
    "fi_FI": """Nimeni on {P} ja asun kaupungissa {C}.
Osoitteeni on {A}.
{P} on töissä yrityksessä {O}.""",
    "hu_HU": """A nevem {P}, a címem {A}.
{P} a {O} munkatársa.""",
    "cs_CZ": """Jmenuji se {P} a bydlím na adrese {A}.
{P} pracuje ve firmě {O}.""",
    "no_NO": """Jeg heter {P} og bor i {C}.
Adressen min er {A}.""",
    "tr_TR": """Benim adım {P}, {C} şehrinde yaşıyorum.
Adresim {A}.""",
    "ro_RO": """Mă numesc {P} și locuiesc în {C}.
Adresa mea este {A}.""",
    "el_GR": """Με λένε {P} και μένω στην πόλη {C}.
Ο {P} έγραψε ένα βιβλίο.
Η κυρία {P} τηλεφώνησε χθες από {C}.
Η διεύθυνσή μου είναι {A}.""",
    "ru_RU": """Меня зовут {P}, я живу в городе {C}.
{P} работает в компании {O}.
Мой адрес: {A}.
Вчера {F} звонила из города {C}.""",
    "id_ID": """Nama saya {P}, saya tinggal di {C}.
Alamat saya {A}.
Kirim ke {S}, {C}.""",
    "hr_HR": """Zovem se {P} i živim u {C}.
Moja adresa je {A}.""",
}
# Names and addresses of the world in English text.
WORLD = ["en_US"] * 6 + ["en_GB"] * 4 + ["en_AU", "en_CA", "en_IE", "en_IN", "en_NZ", "de_DE", "de_AT", "de_CH", "fr_FR", "fr_CA", "fr_CH", "es_ES", "es_MX", "it_IT", "nl_NL", "nl_BE", "pl_PL",
                                         "pt_BR", "pt_PT", "sv_SE", "da_DK", "no_NO", "fi_FI", "hu_HU", "cs_CZ", "sk_SK", "sl_SI", "hr_HR", "ro_RO", "tr_TR", "id_ID", "fil_PH", "lt_LT", "lv_LV", "et_EE", "vi_VN"]
FAKERS = {}
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
NATIONS = "German French Italian Spanish Polish Dutch American British Chinese Japanese Indian Brazilian Mexican Canadian Swedish Turkish".split()
TITLES = "Dr. Mr. Mrs. Ms. Prof. Professor Dr Mr Mrs Miss Sir Captain Judge Senator Pastor Officer Nurse".split()


def show(repo, path):
    return subprocess.run(["git", f"--git-dir={MIRROR}/{repo}/repo", "show", f"HEAD:{path}"], capture_output=True, check=True).stdout.decode()


def organizations():
    """Real names of organisations: listed companies (public domain lists) and universities (MIT)."""
    rows = csv.DictReader(io.StringIO(show("datasets+s-and-p-500-companies", "data/constituents.csv")))
    names = [r["Security"] for r in rows]
    rows = csv.DictReader(io.StringIO(show("datasets+nyse-other-listings", "data/nyse-listed.csv")))
    for r in rows:
        name = re.split(r" (?:Common|Ordinary|American|Class|Depositary|Preferred|\d|Units|Warrants|Rights|Notes|each)|,? \(|\$", next(v for k, v in r.items() if "ame" in k))[0].strip()
        if 2 < len(name) < 45:
            names.append(name)
    schools = [u["name"] for u in json.loads(show("Hipo+university-domains-list", "world_universities_and_domains.json"))]
    random.shuffle(schools)
    return names, [s for s in schools if len(s) < 60]


COMPANIES, SCHOOLS = organizations()


def of_locale(f, what, *rest):
    """A value of the locale, or of the United States where the locale has none."""
    return getattr(f, what, None)(*rest) if hasattr(f, what) else getattr(faker("en_US"), what)(*rest)


def faker(locale):
    if locale not in FAKERS:
        FAKERS[locale] = Faker(locale)
    return FAKERS[locale]


def invented():
    """A word that no list has: what most companies are called."""
    word = "".join(random.choice("b c d f g k l m n p r s t v w z br cl dr fl gr pl st tr ch sh th".split()) + random.choice("a e i o u ai ea io".split()) for _ in range(random.choice([1, 2, 2, 3])))
    word = (word + random.choice(["", "", "n", "x", "tech", "soft", "ware", "corp", "net", "med", "gen", "ix", "on", "ia", "labs", "media", "data"])).capitalize()
    return random.choice([word, word, word, word.upper() if len(word) < 6 else word, word + random.choice(["Soft", "Tech", "Works", "Net"])])


def organization(f):
    kind = random.random()
    if kind < 0.35:
        name = random.choice(COMPANIES)
    elif kind < 0.5:
        name = random.choice(SCHOOLS)
    elif kind < 0.72:
        name = of_locale(f, "company")
    elif kind < 0.9:
        name = invented()
    else:
        name = random.choice(["{a} Institute of {b}", "Ministry of {b}", "Department of {b}", "{a} {c}", "{a} & {d}", "{a} {c} Ltd", "{d} {c}", "National {b} Agency", "{a} Society", "Bank of {a}"]).format(
            a=of_locale(f, "last_name"), d=of_locale(f, "last_name"), b=random.choice("Health Energy Science Education Finance Labour Justice Agriculture Technology Music Physics".split()),
            c=random.choice("Group Holdings Foundation Trust Media Records Motors Foods Airlines Insurance Hospital Press Studios Partners Brothers Pharma Energy Systems Consulting Logistics".split()))
    if kind < 0.5 and random.random() < 0.5:  # as people write them
        name = re.sub(r",? (Inc\.?|Corp\.?|Corporation|Company|Co\.|plc|Ltd\.?|Limited|Group|Holdings|N\.V\.|S\.A\.|L\.?P\.?)$", "", name)
    return name


def person(f):
    first, last = of_locale(f, "first_name"), of_locale(f, "last_name")
    kind = random.random()
    if kind < 0.72:
        return f"{first} {last}"
    if kind < 0.80:
        return f"{first} {random.choice('ABCDEFGHJKLMNPRSTW')}. {last}"
    if kind < 0.84:
        return f"{first} {random.choice('ABCDEFGHJKLMNPRSTW')} {last}"
    if kind < 0.88:
        return f"{first[0]}. {last}"
    if kind < 0.93:
        return first + " " + of_locale(f, "first_name") + " " + last
    if kind < 0.97:
        return f"{first} {last}-" + of_locale(f, "last_name")
    return first


def country():
    return random.choice([faker("en_US").country(), faker("en_US").country(), "Germany", "France", "Italy", "the Netherlands", "USA", "UK", "U.S.", "Canada", "India", "China", "Spain"])


def address(f):
    lines = [l.strip(" ,") for l in of_locale(f, "address").split("\n") if l.strip()]
    if random.random() < 0.25:
        unit = random.choice(["Apt. {}", "Apt {}", "Suite {}", "Unit {}", "Floor {}", "Flat {}", "#{}"]).format(random.randint(1, 999))
        lines[0] += random.choice([" ", ", "]) + unit
    if random.random() < 0.35:
        lines.append(country())
    if random.random() < 0.12:
        lines = lines[:1]
    joint = random.choice([", ", ", ", ", ", "\n", "\n", " ", "\n, ", ",\n"])
    text = joint.join(lines)
    return re.sub(r"(\w), (\w)", r"\1 \2", text, count=1) if random.random() < 0.15 else text


def street(f):
    """Street and number alone; some countries write "No." between."""
    text = of_locale(f, "street_address").split("\n")[0]
    parts = re.fullmatch(r"(\D+) (\d+\w?)", text)
    return f"{parts[1]} {random.choice(['No.', 'no', 'No', 'nr.', 'Nr.'])} {parts[2]}" if parts and random.random() < 0.2 else text


def city(f):
    return of_locale(f, "city")


def value(kind, locale, spans, at):
    f = faker(random.choice(WORLD) if locale == "en_US" and random.random() < 0.6 else locale)
    tag, text = None, ""
    if kind in ("P", "F", "L", "PU", "FU", "LF", "LP"):
        tag = "PER"
        text = {"P": person, "PU": person, "F": lambda g: of_locale(g, "first_name"), "FU": lambda g: of_locale(g, "first_name"), "L": lambda g: of_locale(g, "last_name"), "LF": lambda g: of_locale(g, "last_name") + ", " + of_locale(g, "first_name"),
                "LP": lambda g: of_locale(g, "last_name") + " " + of_locale(g, "first_name")}[kind](f)
        text = text.upper() if kind in ("PU", "FU") else text
    elif kind == "O":
        tag, text = "ORG", organization(f)
    elif kind in ("C", "CU", "K"):
        tag, text = "LOC", country() if kind == "K" else city(f)
        text = text.upper() if kind == "CU" else text
    elif kind == "A":
        tag, text = "ADR", address(f)
    elif kind == "S":
        tag, text = "ADR", street(f)
    elif kind == "T":
        text = random.choice(TITLES)
    elif kind == "N":
        text = random.choice(NATIONS)
    elif kind == "day":
        text = random.choice(DAYS)
    elif kind == "month":
        text = random.choice(MONTHS)
    elif kind == "year":
        text = str(random.randint(1950, 2026))
    elif kind == "num":
        text = random.choice([str(random.randint(1, 10 ** random.randint(1, 12))), f"{random.randint(1, 999)},{random.randint(100, 999)}"])
    elif kind == "phone":
        text = of_locale(f, "phone_number")
    elif kind == "email":
        text = of_locale(f, "email")
    elif kind == "date":
        text = of_locale(f, "date", random.choice(["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d %B %Y", "%B %d, %Y"]))
    if tag and kind in ("P", "L", "C", "K", "O", "A", "S") and random.random() < 0.14:  # as hasty people and old systems write
        other = text.upper() if random.random() < 0.7 else text.lower()
        text = other if len(other) == len(text) else text
    if tag:
        skip = 4 if text.startswith("the ") else 0
        spans.append((at + skip, at + len(text), tag))
    return text


def fill(template, locale):
    template, text, spans = template.replace("\\n", "\n"), "", []
    at = 0
    for hole in re.finditer(r"\{(P|F|L|PU|FU|LF|LP|O|C|CU|K|A|S|T|N|day|month|year|num|phone|email|date)\}", template):
        text += template[at:hole.start()]
        text += value(hole[1], locale, spans, len(text))
        at = hole.end()
    return text + template[at:], spans


def main():
    english, nothing = ENGLISH.split("\n"), NOTHING.split("\n")
    lines = []
    for _ in range(COUNT):
        locale = "en_US" if random.random() < 0.72 else random.choice(list(OTHERS))
        sentences = english if locale == "en_US" else OTHERS[locale].split("\n")
        whole, found = "", []
        for _ in range(random.choice([1, 1, 1, 2, 2, 3])):
            text, spans = fill(random.choice(nothing if random.random() < 0.22 else sentences), locale)
            whole += random.choice([" ", " ", "\n", "\n\n"]) if whole else ""
            found += [(b + len(whole), e + len(whole), k) for b, e, k in spans]
            whole += text
        if random.random() < 0.04:
            whole = whole.upper() if len(whole.upper()) == len(whole) else whole
        elif random.random() < 0.06:
            whole = whole.lower() if len(whole.lower()) == len(whole) else whole
        clean = whole.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", " ").replace("\r", " ")
        places = [f"{len(whole[:b].encode())},{len(whole[:e].encode())},{k}" for b, e, k in found]
        lines.append(f"{clean}\t{' '.join(places)}\n")
    (OUT / f"synthetic-{SEED}.tsv").write_text("".join(lines))


main()
