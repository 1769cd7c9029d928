"""A self-test of ROUGE on two sentences in the script of the language, before texts are scored.

A tokenizer that drops a script scores 0, and one that splits words at their marks scores too high;
neither looks wrong in a table. The two sentences of a language therefore share no token, but those
of scripts with vowel signs share fragments where marks split words.
"""

from functools import cache

from mclas_lightning.metrics.language import check_language
from mclas_lightning.metrics.rouge import Profile

# The sentences are in the first language of a row; the row's other languages have the same script.
SENTENCE_PAIRS = {
    "de": ("Grüße für alle aus Köln", "Die Größe fällt"),
    "en pcm zxx": ("Police look for 2 witnesses", "It will rain tomorrow"),
    "fr br gcf gcr ht wa": ("L'été dernier à Orléans", "Une élève était blessée"),
    "es an ext gl gug": ("El señor llegó mañana", "Dónde está la niña"),
    "pt": ("A eleição não é hoje", "Três irmãos são pão"),
    "it lij vec": ("La città è più libera", "Perché lunedì piove già"),
    "ca oc": ("La pluja caurà avui", "Això és força àcid"),
    "ro": ("Școala începe în oraș", "Apă și pâine pentru țară"),
    "la eo vo": ("Ŝi ĝojas", "Ĉu vi aŭdis"),
    "nl af fy lb": ("De coöperatie groeit", "Geïnspireerd door één idee"),
    "sv": ("Två män får vård", "Många är på väg"),
    "da nn no": ("Små børn går hjem", "Års regn på øen"),
    "is fo": ("Þetta er góð frétt", "Maður á Íslandi dó"),
    "fi et se": ("Yö päättyi sään myötä", "Hän näkee tämän"),
    "hu eu": ("Több száz ember", "Őrült idő várható hétfőn"),
    "pl": ("Żółta łódź płynie", "Zły człowiek śpi"),
    "cs sk": ("Příští týden bude sníh", "Těžká řeka čeká"),
    "hr bs sl": ("Čovjek živi u šumi", "Kiša će početi večeras"),
    "lt ltg lv": ("Ūdens līmenis aug", "Šis ir vējš"),
    "ga gd cy": ("Dŵr yn llifo dros y tŷ", "Mae'r gêm ŵyl"),
    "mt sq": ("Ħafna nies għandhom", "Iż-żewġ ċwievet"),
    "tr az crh ku tk": ("İstanbul'da ağır kış", "Şehirde ısı düştü"),
    "uz": ("Oʻzbekiston gʻolib boʻldi", "Toʻrt kishi"),
    "vi": ("Chính phủ họp hôm nay", "Mưa lớn ở miền Trung"),
    "id ace bcl jv ms tl": ("Polisi mencari saksi", "Hujan turun besok"),
    "sw kik lg ln mg rw so om sn st nso xh zu": ("Polisi wanatafuta mashahidi", "Mvua itanyesha"),
    "ha fuv": ("Ƙasar ta yi ɓarna", "Ɗalibi yana da ƴanci"),
    "yo guw ig kab qu": ("Ìjọba ṣe ìpàdé", "Òjò ń rọ̀ lọ́jọ́"),
    "ru be bg mk sr": ("Полиция ищет свидетелей", "Зайка ёлку видел"),
    "uk": ("Її мати їде", "Місто чекає дощ"),
    "kk ba ky mn tg tt": ("Үкімет отырысы өтті", "Қар жауып тұр"),
    "el grc": ("Η αστυνομία ψάχνει μάρτυρες", "Αύριο θα βρέξει"),
    "hy": ("Ոստիկանությունը փնտրում է", "Վաղը անձրև կգա"),
    "ka": ("პოლიცია ეძებს მოწმეებს", "ხვალ წვიმა იქნება"),
    "ar ary arz": ("الشُّرْطَة تَبْحَثُ عَنْ شُهُود", "سَيَهْطِلُ المَطَر غَدًا"),
    "fa ps sdh ug uzs": ("پلیس به‌دنبال شاهدان است", "فردا باران می‌بارد"),
    "ur": ("پولیس گواہوں کو تلاش کر رہی ہے", "کل بارش ہوگی"),
    "he hbo": ("שָׁלוֹם לְכֻלָּם", "מָחָר יֵרֵד גֶּשֶׁם"),
    "am": ("ፖሊስ ምስክሮችን ይፈልጋል", "ነገ ዝናብ ይዘንባል"),
    "hi gom sa": ("पुलिस गवाहों को ढूँढ रही है", "कल बारिश होगी"),
    "mr": ("पोलीस साक्षीदार शोधत आहेत", "उद्या पाऊस पडेल"),
    "ne": ("प्रहरीले साक्षी खोज्दैछ", "भोलि पानी पर्नेछ"),
    "bn as": ("পুলিশ সাক্ষী খুঁজছে", "কাল বৃষ্টি হবে"),
    "pa": ("ਪੁਲਿਸ ਗਵਾਹ ਲੱਭ ਰਹੀ ਹੈ", "ਕੱਲ੍ਹ ਮੀਂਹ ਪਵੇਗਾ"),
    "gu": ("પોલીસ સાક્ષીઓ શોધે છે", "કાલે વરસાદ પડશે"),
    "or": ("ପୋଲିସ ସାକ୍ଷୀ ଖୋଜୁଛି", "କାଲି ବର୍ଷା ହେବ"),
    "ta": ("காவலர்கள் சாட்சிகளைத் தேடுகிறார்கள்", "நாளை மழை பெய்யும்"),
    "te": ("పోలీసులు సాక్షుల కోసం వెతుకుతున్నారు", "రేపు వర్షం పడుతుంది"),
    "kn": ("ಪೊಲೀಸರು ಸಾಕ್ಷಿಗಳನ್ನು ಹುಡುಕುತ್ತಿದ್ದಾರೆ", "ನಾಳೆ ಮಳೆ ಬರಲಿದೆ"),
    "ml": ("പോലീസ് സാക്ഷികളെ തിരയുന്നു", "നാളെ മഴ പെയ്യും"),
    "si": ("පොලිසිය සාක්ෂිකරුවන් සොයයි", "හෙට වැසි වැටේ"),
    "dz": ("ཁྲིམས་སྲུང་འགག་པ", "ནངས་ཆར་འབབ"),
    "ko": ("경찰이 목격자를 찾는다", "내일은 비가 온다"),
    "ja": ("警察がビルの目撃者を探す", "明日は雨になる見込み"),
    "zh": ("警方寻找两名证人", "明天会下雨"),
    "yue wuu": ("差人搵緊佢哋", "聽日會落雨"),
    "th": ("ตำรวจหาพยาน", "มีสิ่งดี ๆ"),
    "lo": ("ຕຳຫຼວດຊອກພະຍານ", "ນີ້ດີ"),
    "km": ("ប៉ូលិសរកសាក្សី", "ថ្ងៃនេះមានភ្លៀង"),
    "my": ("ရဲကသက်သေရှာသည်", "မိုးရွာမယ်"),
}


@cache
def sentence_pairs() -> dict[str, tuple[str, str]]:
    """The two sentences of each language."""
    return {language: pair for row, pair in SENTENCE_PAIRS.items() for language in row.split()}


def self_test(profile: Profile) -> None:
    """RuntimeError unless a sentence scores 1 against itself, and 0 against the other one."""
    check_language(profile.language)
    text, other = sentence_pairs()[profile.language]
    for against, expected in ((text, 1.0), (other, 0.0)):
        found = {name: values.item() for name, values in profile.scores([text], [against]).items()}
        wrong = {name: value for name, value in found.items() if value != expected}
        if wrong:
            raise RuntimeError(
                f"ROUGE self-test failed for '{profile.language}': '{text}' against '{against}' "
                f"must score {expected}, found {wrong}"
            )
