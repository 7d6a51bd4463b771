#[derive(Default,Clone,Debug)] pub struct Limits{pub hash_max_listpack_entries:usize,pub hash_max_listpack_value:usize,pub list_max_listpack_size:i64,pub list_compress_depth:usize,pub set_max_intset_entries:usize,pub set_max_listpack_entries:usize,pub set_max_listpack_value:usize,pub zset_max_listpack_entries:usize,pub zset_max_listpack_value:usize}
pub struct RawString(Vec<u8>);
impl RawString { pub fn new()->Self{RawString(vec![])} pub fn from_bytes(b:&[u8])->Self{RawString(b.to_vec())} pub fn as_bytes(&self)->&[u8]{&self.0} pub fn len(&self)->usize{self.0.len()} }
pub enum StringRef<'a>{Int(i64),Bytes(&'a [u8])}
macro_rules! t {($($t:ident),*)=>{$(pub struct $t(u8); impl $t{pub fn new()->Self{$t(0)} pub fn is_empty(&self)->bool{true}})* pub enum Value{Raw(RawString),$($t($t)),*}}}
t!(List,Set,Hash,Zset);
impl Value{pub fn free_effort(&self)->usize{1} pub fn type_name(&self)->&'static str{"x"}}
