//! Property values: as callers give them, and as the store keeps them (ready protobuf).

use std::sync::Arc;

use crate::pb;

/// The type of a column. Every value of the column is of this type or absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// Text.
    Str,
    /// Signed whole number.
    Int,
    /// Whole number from zero.
    UInt,
    /// True or false.
    Bool,
    /// Number with fraction.
    Double,
}

/// A property of a feature.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Str(Arc<str>),
    /// Signed whole number.
    Int(i64),
    /// Whole number from zero.
    UInt(u64),
    /// True or false.
    Bool(bool),
    /// Number with fraction.
    Double(f64),
}

impl Value {
    /// The type of column that takes it.
    pub fn column_type(&self) -> ColumnType {
        match self {
            Self::Str(_) => ColumnType::Str,
            Self::Int(_) => ColumnType::Int,
            Self::UInt(_) => ColumnType::UInt,
            Self::Bool(_) => ColumnType::Bool,
            Self::Double(_) => ColumnType::Double,
        }
    }

    /// Appends the body of a `Tile.Value` message.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Str(s) => {
                out.push(0x0A);
                pb::varint(out, s.len() as u64);
                out.extend_from_slice(s.as_bytes());
            }
            Self::Double(d) => {
                out.push(0x19);
                out.extend_from_slice(&d.to_le_bytes());
            }
            Self::UInt(u) => {
                out.push(0x28);
                pb::varint(out, *u);
            }
            Self::Int(i) => {
                out.push(0x30);
                pb::varint(out, pb::zigzag64(*i));
            }
            Self::Bool(b) => out.extend_from_slice(&[0x38, u8::from(*b)]),
        }
    }

    /// Its encoded form, alone.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }

    /// Reads what [`Value::encode`] wrote; `None` for anything else.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (tag, mut rest) = bytes.split_first()?;
        Some(match tag {
            0x0A => {
                pb::read_varint(&mut rest)?;
                Self::Str(std::str::from_utf8(rest).ok()?.into())
            }
            0x19 => Self::Double(f64::from_le_bytes(rest.try_into().ok()?)),
            0x28 => Self::UInt(pb::read_varint(&mut rest)?),
            0x30 => Self::Int(pb::unzigzag64(pb::read_varint(&mut rest)?)),
            0x38 => Self::Bool(*rest.first()? != 0),
            _ => return None,
        })
    }

    /// As the last part of a property name: `n_done` counts what has the value `done`.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Str(s) => s.to_string(),
            Self::Int(v) => v.to_string(),
            Self::UInt(v) => v.to_string(),
            Self::Bool(v) => v.to_string(),
            Self::Double(v) => v.to_string(),
        }
    }
}

impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Str(v.into())
    }
}

impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Str(v.into())
    }
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}

impl From<u64> for Value {
    fn from(v: u64) -> Self {
        Self::UInt(v)
    }
}

impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Bool(v)
    }
}

impl From<f64> for Value {
    fn from(v: f64) -> Self {
        Self::Double(v)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_encoding() {
        let all = [
            Value::from("村道"),
            Value::from(""),
            Value::Int(i64::MIN),
            Value::Int(-1),
            Value::UInt(u64::MAX),
            Value::Bool(true),
            Value::Double(-0.5),
        ];
        for v in all {
            assert_eq!(Value::decode(&v.to_bytes()), Some(v));
        }
        assert_eq!(Value::decode(&[]), None);
    }
}
