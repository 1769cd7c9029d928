"""Short reports in languages of several scripts, as files of people's own corpora hold them."""

from typing import Any

# Sentences of a document, of which each report has one of every four; {n} and {m} are numbers.
SENTENCES = {
    "fr": [
        "La police de {place} a trouvé mardi soir {thing} dans l'entrepôt {n} du port.",
        "Des pompiers de {place} ont découvert {thing} sous le quai numéro {n} hier.",
        "À {place}, un pêcheur a remonté {thing} dans ses filets après {n} jours en mer.",
        "Le musée de {place} cherchait {thing} depuis {n} ans, sans aucun succès.",
        "Selon le maire, {m} habitants avaient signalé des bruits étranges.",
        "Une enquête de {m} semaines a conduit les agents jusque-là.",
        "Personne n'a été blessé, mais {m} maisons ont dû être évacuées.",
        "Le procureur a ouvert {m} dossiers et promet une réponse rapide.",
    ],
    "ar": [
        "عثرت شرطة {place} مساء الثلاثاء على {thing} في المستودع رقم {n} بالميناء.",
        "اكتشف رجال الإطفاء في {place} أمس {thing} تحت الرصيف رقم {n} القديم.",
        "في {place} وجد صياد {thing} في شباكه بعد {n} يوما في عرض البحر.",
        "كان متحف {place} يبحث عن {thing} منذ {n} عاما دون أي نجاح.",
        "وقال رئيس البلدية إن {m} من السكان أبلغوا عن أصوات غريبة.",
        "وقاد تحقيق استمر {m} أسابيع رجال الشرطة إلى هذا المكان.",
        "ولم يصب أحد بأذى لكن {m} منازل أخليت من سكانها.",
        "وفتح المدعي العام {m} ملفات ووعد برد سريع.",
    ],
    "ja": [
        "{place}の警察は火曜日の夜、港の第{n}倉庫で{thing}を発見した。",
        "{place}の消防隊員が昨日、古い第{n}埠頭の下で{thing}を見つけた。",
        "{n}日間海に出ていた{place}の漁師の網に、{thing}がかかっていた。",
        "{place}の博物館は{n}年前から{thing}を探していたが、手がかりはなかった。",
        "市長によると、住民{m}人が奇妙な音について通報していたという。",
        "{m}週間にわたる捜査の末、警官たちはこの場所にたどり着いた。",
        "けが人は出なかったが、近くの家{m}軒の人々が避難した。",
        "検察は{m}件の書類を調べ、早い回答を約束している。",
    ],
}

SUMMARIES = {
    "fr": "{place} : {thing} retrouvés après {n} jours, dit la police du port",
    "uk": "У місті {place} поліція знайшла {thing} після {n} днів пошуків",
    "ar": "شرطة {place} تعثر على {thing} بعد {n} يوما من البحث",
    "ja": "{place}の警察、{n}日間の捜索の末に{thing}を発見",
    "en": "Police in {place} find {thing} after a search of {n} days",
}

PLACES = {
    "fr": ["Marseille", "Odessa", "Beyrouth", "Kobe", "Lisbonne"],
    "uk": ["Марсель", "Одеса", "Бейрут", "Кобе", "Лісабон"],
    "ar": ["مرسيليا", "أوديسا", "بيروت", "كوبي", "لشبونة"],
    "ja": ["マルセイユ", "オデーサ", "ベイルート", "神戸", "リスボン"],
    "en": ["Marseille", "Odesa", "Beirut", "Kobe", "Lisbon"],
}

THINGS = {
    "fr": ["deux tableaux volés", "une baleine en bois", "des montres anciennes", "un orgue"],
    "uk": ["дві викрадені картини", "дерев'яного кита", "старовинні годинники", "орган"],
    "ar": ["لوحتين مسروقتين", "حوتا خشبيا", "ساعات قديمة", "آلة موسيقية"],
    "ja": ["盗まれた絵画二点", "木製のクジラ", "古い時計", "オルガン"],
    "en": ["two stolen paintings", "a wooden whale", "antique watches", "an organ"],
}


def reports(source: str, target: str, num: int, start: int = 0) -> list[dict[str, Any]]:
    """Records with id, document, mono and cross; no two have a common or a nearly common text."""
    return [_report(source, target, i) for i in range(start, start + num)]


def _report(source: str, target: str, i: int) -> dict[str, Any]:
    def filled(text: str, language: str) -> str:
        place, thing = PLACES[language][i % 5], THINGS[language][i // 5 % 4]
        return text.format(place=place, thing=thing, n=100 + i, m=1000 + 37 * i)

    sentences = SENTENCES[source]
    chosen = sentences[i % 4], sentences[4 + (i // 4 + i) % 4]
    return {
        "id": f"r{i}",
        "document": filled(("" if source == "ja" else " ").join(chosen), source),
        "mono": filled(SUMMARIES[source], source),
        "cross": filled(SUMMARIES[target], target),
    }
