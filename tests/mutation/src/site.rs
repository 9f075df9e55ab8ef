//! Finds in a source file the places that mutants change, and writes it anew with all of them inside.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Arm, BinOp, Block, Expr, ExprBinary, ExprLet, ExprUnary, ImplItemFn, ItemConst, ItemFn, ItemStatic,
    ReturnType, Signature,
};

use crate::mutant::Mutant;

type Span = Range<usize>;

/// A place, with the mutants that meet there.
enum Site {
    /// `left` operator `right`, with another operator for each mutant.
    Binary { left: Span, right: Span, others: Vec<(usize, String)> },
    /// An operator before `operand` that a mutant leaves out.
    Unary { operand: Span, id: usize },
    /// The beginning of a body, where each mutant returns a value at once.
    Body { values: Vec<(usize, String)> },
    /// `const` before a function that asks at run time which mutant is on.
    Const,
    /// The end of a pattern: the arm is gone with one mutant, its guard is true with another, false with a third.
    Arm { guard: Option<Span>, gone: Vec<usize>, always: Vec<usize>, never: Vec<usize> },
}

/// A file with its mutants inside, and where the text of each stands.
pub struct Woven {
    pub text: String,
    /// What a mutant alone brings: an error there is its own.
    pub own: Vec<(usize, Span)>,
    /// What was rewritten for a mutant's sake: an error there may come from the rewriting.
    pub around: Vec<(usize, Span)>,
    /// What cannot be parsed.
    pub refused: Vec<usize>,
}

struct Finder<'m> {
    wanted: HashMap<(usize, usize), Vec<&'m Mutant>>,
    sites: Vec<(Span, Site)>,
    refused: Vec<usize>,
    /// Functions that constants call.
    constant: &'m BTreeSet<String>,
}

fn range(node: &impl Spanned) -> Span {
    node.span().byte_range()
}

/// `a && let ..` parses with no other operator, and only where it stands.
fn has_let(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(ExprBinary { left, op: BinOp::And(_), right, .. }) => has_let(left) || has_let(right),
        _ => false,
    }
}

impl<'m> Finder<'m> {
    /// The mutants of this kind that begin where `node` does.
    fn take(&mut self, node: &impl Spanned, genre: &str) -> Vec<&'m Mutant> {
        let start = node.span().start();
        let Some(here) = self.wanted.get_mut(&(start.line, start.column + 1)) else { return Vec::new() };
        let (taken, left) = here.drain(..).partition(|mutant| mutant.genre == genre);
        *here = left;
        taken
    }

    /// Whether what is in this function can be switched at run time.
    fn switchable(&mut self, signature: &Signature) -> bool {
        match &signature.constness {
            Some(_) if self.constant.contains(&signature.ident.to_string()) => false,
            Some(word) => {
                self.sites.push((range(word), Site::Const));
                true
            }
            None => true,
        }
    }

    fn body(&mut self, signature: &Signature, block: &Block) {
        let Some(first) = block.stmts.first() else { return };
        // `impl Trait` stands for one type: a mutant's would be a second.
        let opaque = match &signature.output {
            ReturnType::Type(_, kind) => matches!(**kind, syn::Type::ImplTrait(_)),
            ReturnType::Default => false,
        };
        if opaque {
            return;
        }
        let mutants = self.take(first, "FnValue");
        let values = mutants.iter().map(|mutant| (mutant.id, mutant.replacement.clone())).collect();
        let at = block.brace_token.span.open().byte_range().end;
        self.sites.push((at..at, Site::Body { values }));
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if self.switchable(&item.sig) {
            self.body(&item.sig, &item.block);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if self.switchable(&item.sig) {
            self.body(&item.sig, &item.block);
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.body(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    // What the compiler evaluates cannot ask for a number at run time.
    fn visit_item_const(&mut self, _: &'ast ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }

    fn visit_expr_let(&mut self, expression: &'ast ExprLet) {
        self.visit_expr(&expression.expr);
    }

    fn visit_expr_binary(&mut self, binary: &'ast ExprBinary) {
        let others = self.take(&binary.op, "BinaryOperator");
        if has_let(&binary.left) || has_let(&binary.right) {
            self.refused.extend(others.iter().map(|mutant| mutant.id));
        } else if !others.is_empty() {
            let others = others.iter().map(|mutant| (mutant.id, mutant.replacement.clone())).collect();
            let (left, right) = (range(&binary.left), range(&binary.right));
            self.sites.push((range(binary), Site::Binary { left, right, others }));
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast ExprUnary) {
        if let [mutant] = self.take(&unary.op, "UnaryOperator").as_slice() {
            self.sites.push((range(unary), Site::Unary { operand: range(&unary.expr), id: mutant.id }));
        }
        visit::visit_expr_unary(self, unary);
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        let gone: Vec<usize> = self.take(arm, "MatchArm").iter().map(|mutant| mutant.id).collect();
        let guard = arm.guard.as_ref().map(|(_, guard)| &**guard);
        let fixed = guard.map(|guard| self.take(guard, "MatchArmGuard")).unwrap_or_default();
        let ids = |value: &str| {
            let those = fixed.iter().filter(|mutant| mutant.replacement == value);
            those.map(|mutant| mutant.id).collect::<Vec<_>>()
        };
        if !(gone.is_empty() && fixed.is_empty()) {
            let end = range(&arm.pat).end;
            let whole = end..guard.map_or(end, |guard| range(guard).end);
            let (always, never) = (ids("true"), ids("false"));
            self.sites.push((whole, Site::Arm { guard: guard.map(range), gone, always, never }));
        }
        visit::visit_arm(self, arm);
    }
}

struct Weaver<'t> {
    source: &'t str,
    sites: &'t [(Span, Site)],
    woven: Woven,
}

fn any(ids: &[usize]) -> String {
    let one = |id: &usize| format!("crate::mutation::on({id})");
    if ids.is_empty() { "false".to_owned() } else { ids.iter().map(one).collect::<Vec<_>>().join(" || ") }
}

impl Weaver<'_> {
    fn raw(&mut self, span: Span) {
        self.woven.text.push_str(self.source.get(span).unwrap_or_default());
    }

    fn put(&mut self, text: &str) {
        self.woven.text.push_str(text);
    }

    fn own(&mut self, id: usize, write: impl FnOnce(&mut Self)) {
        let start = self.woven.text.len();
        write(self);
        self.woven.own.push((id, start..self.woven.text.len()));
    }

    /// The text of `span`, with the sites in it rewritten; `sites` are those not outside of it, outermost first.
    fn span(&mut self, span: Span, mut next: usize) {
        let mut at = span.start;
        while let Some((whole, site)) = self.sites.get(next) {
            next += 1;
            if whole.start >= span.end {
                break;
            }
            if whole.start < at || whole.end > span.end {
                continue;
            }
            self.raw(at..whole.start);
            let start = self.woven.text.len();
            let ids = self.site(whole.clone(), site, next);
            let around = start..self.woven.text.len();
            self.woven.around.extend(ids.into_iter().map(|id| (id, around.clone())));
            at = whole.end;
        }
        self.raw(at..span.end);
    }

    fn site(&mut self, whole: Span, site: &Site, next: usize) -> Vec<usize> {
        match site {
            Site::Body { values } => {
                for (id, value) in values {
                    self.put(&format!(" if crate::mutation::on({id}) {{ "));
                    self.own(*id, |weaver| weaver.put(&format!("return {value};")));
                    self.put(" }");
                }
                values.iter().map(|(id, _)| *id).collect()
            }
            Site::Const => Vec::new(),
            Site::Unary { operand, id } => {
                self.put(&format!("(if crate::mutation::on({id}) {{ "));
                self.own(*id, |weaver| weaver.raw(operand.clone()));
                self.put(" } else { ");
                self.raw(whole.start..operand.start);
                self.span(operand.clone(), next);
                self.put(" })");
                vec![*id]
            }
            Site::Binary { left, right, others } => {
                self.put("(");
                for (id, operator) in others {
                    self.put(&format!("if crate::mutation::on({id}) {{ "));
                    self.own(*id, |weaver| {
                        weaver.raw(left.clone());
                        weaver.put(&format!(" {operator} "));
                        weaver.raw(right.clone());
                    });
                    self.put(" } else ");
                }
                self.put("{ ");
                self.span(left.clone(), next);
                self.raw(left.end..right.start);
                self.span(right.clone(), next);
                self.put(" })");
                others.iter().map(|(id, _)| *id).collect()
            }
            Site::Arm { guard, gone, always, never } => {
                self.put(&format!(" if !({}) && !({}) && (", any(gone), any(never)));
                match guard {
                    Some(guard) => {
                        self.put(&format!("{} || (", any(always)));
                        self.span(guard.clone(), next);
                        self.put("))");
                    }
                    None => self.put("true)"),
                }
                [gone.as_slice(), always, never].concat()
            }
        }
    }
}

/// `source` with these mutants inside; those that found no place are not in the result. Functions named in `constant`
/// stay what they are.
pub fn weave(source: &str, mutants: &[&Mutant], constant: &BTreeSet<String>) -> syn::Result<Woven> {
    let mut finder = Finder { wanted: HashMap::new(), sites: Vec::new(), refused: Vec::new(), constant };
    for mutant in mutants {
        finder.wanted.entry(mutant.at).or_default().push(*mutant);
    }
    finder.visit_file(&syn::parse_file(source)?);
    let mut sites = finder.sites;
    sites.sort_by_key(|(whole, _)| (whole.start, std::cmp::Reverse(whole.end)));
    let woven = Woven { text: String::new(), own: Vec::new(), around: Vec::new(), refused: finder.refused };
    let mut weaver = Weaver { source, sites: &sites, woven };
    weaver.span(0..source.len(), 0);
    Ok(weaver.woven)
}
