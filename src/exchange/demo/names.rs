//! Names as they are given in Guangdong: natural villages by region, units, people, documents.

use super::dice::Dice;

const SURNAMES: &[&str] = &[
    "张", "李", "黄", "陈", "罗", "温", "钟", "赖", "曾", "古", "邓", "魏", "周", "刘", "廖", "叶", "谢",
    "何", "林", "吴", "杨", "朱", "卢", "胡", "郭", "宋", "江", "蓝", "池", "缪", "邹", "徐", "范", "彭",
    "丘", "巫", "梁", "莫", "冯", "苏", "欧", "潘",
];
const FEATURES: &[&str] = &[
    "上", "下", "新", "老", "大", "小", "高", "低", "石", "水", "竹", "松", "枫", "樟", "梅", "桃", "龙",
    "虎", "牛", "马", "羊", "狮", "金", "银", "铁", "东", "西", "南", "北", "中", "内", "外", "前", "后",
    "长", "横", "圆", "白", "乌", "红", "青", "禾", "油", "茶", "桂", "荷", "莲", "凤", "鹤", "井", "塔",
    "庙", "桥", "寨", "田", "坝",
];
const HAKKA: &[&str] = &[
    "坑", "背", "屋", "岭", "塘", "排", "围", "寨", "坝", "段", "岗", "墩", "窝", "凹", "潭", "湖", "口",
    "角", "岃", "輋",
];
const CANTONESE: &[&str] = &[
    "坑", "塘", "岗", "冲", "围", "洞", "坪", "田", "尾", "头", "寨", "岭", "边", "水", "朗", "滘", "咀",
    "洲",
];
const TEOCHEW: &[&str] =
    &["厝", "寮", "埔", "围", "洋", "陇", "坑", "池", "湖", "埕", "乡", "内", "头", "尾", "寨", "美"];
const WESTERN: &[&str] =
    &["垌", "坡", "塘", "仔", "村", "岭", "车", "山", "尾", "坑", "竹", "田", "罗", "堀", "埇"];

/// A natural village's name that its village does not have yet.
pub fn natural_village(city: &str, taken: &[String], dice: &mut Dice) -> String {
    let endings = match city {
        "440500" | "441500" | "445100" | "445200" => TEOCHEW,
        "440800" | "440900" | "441700" => WESTERN,
        "440700" | "441200" | "441800" | "445300" | "440100" | "440600" => CANTONESE,
        _ => HAKKA,
    };
    for attempt in 0..40 {
        let ending = dice.pick(endings);
        let mut name = match dice.index(10) {
            0..=3 => format!("{}{ending}", dice.pick(SURNAMES)),
            4..=7 => format!("{}{ending}", dice.pick(FEATURES)),
            8 => format!("{}{}{ending}", dice.pick(FEATURES), dice.pick(SURNAMES)),
            _ => format!("{ending}{}", dice.pick(&["背", "下", "尾", "头", "口", "面", "角"])),
        };
        if attempt > 20 {
            name = format!("{}{name}", dice.pick(&["上", "下", "新", "老"]));
        }
        let (first, last) = (name.chars().next(), name.chars().next_back());
        if first != last && !taken.contains(&name) {
            return name;
        }
    }
    format!("第{}组", taken.len() + 1)
}

/// A person's name for an account that nobody signs in with.
pub fn person(dice: &mut Dice) -> String {
    let given = [
        "志强", "建华", "丽", "伟明", "秀英", "国辉", "晓红", "海波", "敏仪", "文斌", "永康", "思远", "燕",
        "剑锋", "慧玲",
    ];
    format!("{}{}", dice.pick(SURNAMES), dice.pick(&given))
}

/// The city that a city is paired with for help, 2016–2020 (domain handbook §2).
pub fn helper_city(city: &str) -> &'static [&'static str] {
    match city {
        "440200" | "445200" => &["东莞市莞城街道", "东莞市虎门镇", "东莞市长安镇", "东莞市塘厦镇"],
        "440900" | "441700" => &["珠海市香洲区", "珠海市金湾区", "珠海市斗门区"],
        "441400" | "441800" => {
            &["广州市海珠区", "广州市天河区", "广州市白云区", "广州市黄埔区", "广州市番禺区"]
        }
        "440800" | "445300" => &["佛山市顺德区", "佛山市南海区", "佛山市禅城区"],
        "441600" | "441500" => &["深圳市福田区", "深圳市罗湖区", "深圳市宝安区", "深圳市龙岗区"],
        "441200" | "445100" => &["中山市石岐区", "中山市小榄镇", "中山市火炬开发区"],
        _ => &["省直机关工委", "省属国有企业"],
    }
}

/// 帮扶单位 of a poor village.
pub fn helper_unit(city: &str, dice: &mut Dice) -> String {
    let bureau = [
        "城管局",
        "教育局",
        "卫生健康局",
        "市场监管局",
        "财政局",
        "民政局",
        "审计局",
        "司法局",
        "税务局",
        "人民法院",
        "文化广电旅游体育局",
    ];
    format!("{}{}", dice.pick(helper_city(city)), dice.pick(&bureau))
}

/// Bureau of a county for a sector.
pub fn bureau(sector: &str) -> &'static str {
    match sector {
        "road" => "交通运输局",
        "water" => "水务局",
        "relocation" => "发展和改革局",
        "housing" => "住房和城乡建设局",
        "power" => "供电局",
        _ => "农业农村局",
    }
}

/// A company that builds.
pub fn contractor(place: &str, sector: &str, dice: &mut Dice) -> String {
    let trade = match sector {
        "road" => ["路桥工程", "公路工程", "市政建设"],
        "water" => ["水利水电工程", "供水安装", "市政建设"],
        "power" => ["电力工程", "通信工程", "机电安装"],
        _ => ["建筑工程", "建设集团", "园林建设"],
    };
    let stem = place.trim_end_matches(['县', '市', '区']);
    let mark = ["宏达", "粤通", "鸿基", "顺安", "建业", "恒信", "华源", "永固"];
    format!("{stem}{}{}有限公司", dice.pick(&mark), dice.pick(&trade))
}
