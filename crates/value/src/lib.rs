#[derive(Default,Clone,Debug)] pub struct Limits;
pub struct RawString(Vec<u8>);
impl RawString { pub fn new()->Self{RawString(vec![])} pub fn from_bytes(b:&[u8])->Self{RawString(b.to_vec())} pub fn as_bytes(&self)->&[u8]{&self.0} pub fn len(&self)->usize{self.0.len()} pub fn extend(&mut self,b:&[u8]){self.0.extend_from_slice(b)} pub fn as_bytes_mut(&mut self)->&mut [u8]{&mut self.0} pub fn resize(&mut self,n:usize){self.0.resize(n,0)} pub fn write_at(&mut self,at:usize,b:&[u8]){let e=at+b.len(); if e>self.0.len(){self.0.resize(e,0)} self.0[at..e].copy_from_slice(b)} }
pub enum StringRef<'a>{Int(i64),Bytes(&'a [u8])}
macro_rules! t {($($t:ident),*)=>{$(pub struct $t(u8); impl $t{pub fn new()->Self{$t(0)} pub fn is_empty(&self)->bool{true}})* pub enum Value{Raw(RawString),$($t($t)),*}}}
t!(List,Set,Hash,Zset);
impl Value{pub fn free_effort(&self)->usize{1} pub fn type_name(&self)->&'static str{"x"}}
