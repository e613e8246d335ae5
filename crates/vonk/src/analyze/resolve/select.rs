//! One SELECT: its list, what it groups and orders by, and the names of its columns.

use std::collections::{HashMap, HashSet};

use datafusion::arrow::datatypes::DataType;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    self, Expr, Ident, ObjectName, ObjectNamePart, SelectItem, SelectItemQualifiedWildcardKind,
    WildcardAdditionalOptions,
};

use super::super::generators;
use super::super::names::{Paths, name_of};
use super::super::variables;
use super::exprs::{Alias, Clause, Names};
use super::groups::Grouping;
use super::scope::Env;
use super::{Output, Resolver, errors, star};
use crate::config;
use crate::display::DUPLICATE_MARK;
use crate::error::{Condition, Error, Result};

impl Resolver<'_> {
    /// Resolves a SELECT and what its query orders by.
    pub(super) fn select(
        &mut self,
        select: &mut ast::Select,
        order_by: Option<&mut ast::OrderBy>,
        parent: Option<&Env<'_>>,
    ) -> Result<Vec<Output>> {
        for view in std::mem::take(&mut select.lateral_views) {
            select.from.push(generators::lateral_view(view)?);
        }
        if select.flavor == ast::SelectFlavor::FromFirstNoSelect && select.projection.is_empty() {
            select.projection.push(SelectItem::Wildcard(WildcardAdditionalOptions::default()));
        }
        if self.config.is_on(config::HAVING_AS_WHERE) {
            having_as_where(select);
        }
        let generates = select.projection.iter().any(generators::is_call);
        let from = self.from(&mut select.from, generates, parent)?;
        let env = Env { from: &from, depth: self.depth, parent };
        if let Some(condition) = &mut select.selection {
            self.expr(condition, &env, Names::default())?;
            self.check_condition(condition)?;
        }
        for definition in &mut select.named_window {
            if let ast::NamedWindowExpr::WindowSpec(spec) = &mut definition.1 {
                self.window(spec, &env)?;
            }
        }
        let has_star = select.projection.iter().any(is_star);
        let aliases = self.items(&mut select.projection, &env)?;
        let grouping = Grouping { aliases: &aliases, has_star };
        let groups = self.group_by(select, &env, &grouping)?;
        let names = Names { aliases: &aliases, groups: Some(&groups.keys), ..Names::default() };
        if let Some(having) = &mut select.having {
            self.expr(having, &env, names)?;
            self.spell_grouping(having, &groups)?;
        }
        if let Some(qualify) = &mut select.qualify {
            self.expr(qualify, &env, Names { groups: None, ..names })?;
        }
        if let Some(order_by) = order_by {
            let outputs = match (generates, &select.distinct) {
                (true, _) => {
                    self.outputs(&select.projection, &env)?.iter().map(named_output).collect()
                }
                (false, Some(_)) => aliases.iter().map(by_name).collect(),
                (false, None) => aliases.clone(),
            };
            self.order_by(order_by, &env, &outputs, &groups)?;
        }
        self.check_groups(select, &env)?;
        self.check_having(select, &env)?;
        self.outputs(&select.projection, &env)
    }

    fn window(&mut self, spec: &mut ast::WindowSpec, env: &Env<'_>) -> Result<()> {
        for expr in &mut spec.partition_by {
            self.expr(expr, env, Names::default())?;
        }
        for order in &mut spec.order_by {
            self.expr(&mut order.expr, env, Names::default())?;
        }
        Ok(())
    }

    /// Resolves a SELECT list: expands stars, names what has no alias, lets later items use earlier ones.
    fn items(&mut self, projection: &mut Vec<SelectItem>, env: &Env<'_>) -> Result<Vec<Alias>> {
        let mut items = Vec::with_capacity(projection.len());
        let mut aliases: Vec<Alias> = Vec::with_capacity(projection.len());
        for item in std::mem::take(projection) {
            self.uses_lateral = false;
            match item {
                SelectItem::Wildcard(options) => {
                    let columns = self.star(None, &options, env)?;
                    self.add_columns(columns, env, &mut items, &mut aliases);
                }
                SelectItem::QualifiedWildcard(kind, options) => {
                    let columns = match &kind {
                        SelectItemQualifiedWildcardKind::ObjectName(name) => {
                            self.star(Some(&idents_of(name)), &options, env)?
                        }
                        SelectItemQualifiedWildcardKind::Expr(expr) => {
                            let mut value = expr.clone();
                            self.expr(&mut value, env, Names::default())?;
                            let data_type = self.type_of(&value, env);
                            self.fields_of(value, &data_type, &expr.to_string())?
                        }
                    };
                    self.add_columns(columns, env, &mut items, &mut aliases);
                }
                SelectItem::ExprWithAliases { mut expr, aliases: names } => {
                    self.expr(&mut expr, env, lateral(&aliases))?;
                    items.push(SelectItem::ExprWithAliases { expr, aliases: names });
                }
                SelectItem::UnnamedExpr(expr) => {
                    if let Some(column) = star::numbered(self, &expr, env)? {
                        self.add_columns(vec![column], env, &mut items, &mut aliases);
                        continue;
                    }
                    if let Some(columns) = star::matching(self, &expr, env)? {
                        self.add_columns(columns, env, &mut items, &mut aliases);
                        continue;
                    }
                    let (expr, name) = self.named(expr, env, &aliases)?;
                    if generators::call_of(&expr).is_some() {
                        items.push(SelectItem::UnnamedExpr(expr));
                        continue;
                    }
                    aliases.push(self.alias(&name, &expr));
                    items.push(with_alias(expr, &name, env));
                }
                SelectItem::ExprWithAlias { mut expr, alias } => {
                    self.captured.clear();
                    if let Some((_, column)) = star::numbered(self, &expr, env)? {
                        expr = column;
                    }
                    self.expr(&mut expr, env, lateral(&aliases))?;
                    aliases.push(Alias { explicit: true, ..self.alias(&alias.value, &expr) });
                    items.push(SelectItem::ExprWithAlias { expr, alias });
                }
            }
        }
        self.name_generators(&mut items, &aliases, env)?;
        // A DataFrame goes on with the columns of the whole query by the names of their tables.
        part_duplicates(&mut items, &mut aliases, self.depth == 1);
        *projection = items;
        Ok(aliases)
    }

    /// Names the columns of generators, so that those of one are told from those of another, and in
    /// a query that others read from its other columns.
    fn name_generators(
        &self,
        items: &mut [SelectItem],
        others: &[Alias],
        env: &Env<'_>,
    ) -> Result<()> {
        let mut taken: Vec<String> = match self.depth {
            1 => Vec::new(),
            _ => others.iter().map(|other| other.name.clone()).collect(),
        };
        let mut calls = items.iter().filter(|item| generators::is_call(item));
        let (first, second) = (calls.next(), calls.next());
        let Some(first) = first else { return Ok(()) };
        let collides = |output: &Output| taken.iter().any(|name| self.same.is(name, &output.name));
        if second.is_none() && !self.generated(first, env)?.iter().any(collides) {
            return Ok(());
        }
        for item in items.iter_mut().filter(|item| generators::is_call(item)) {
            let mut names = Vec::new();
            for Output { name, .. } in self.generated(item, env)? {
                let unique = match taken.iter().any(|other| self.same.is(other, &name)) {
                    true => format!("{name}{DUPLICATE_MARK}generated{}", taken.len()),
                    false => name.clone(),
                };
                taken.push(name);
                names.push(Ident::with_quote('`', unique));
            }
            let (SelectItem::UnnamedExpr(expr)
            | SelectItem::ExprWithAlias { expr, .. }
            | SelectItem::ExprWithAliases { expr, .. }) = &*item
            else {
                continue;
            };
            *item = SelectItem::ExprWithAliases { expr: expr.clone(), aliases: names };
        }
        Ok(())
    }

    fn add_columns(
        &self,
        columns: Vec<(String, Expr)>,
        env: &Env<'_>,
        items: &mut Vec<SelectItem>,
        aliases: &mut Vec<Alias>,
    ) {
        for (name, expr) in columns {
            aliases.push(self.alias(&name, &expr));
            items.push(with_alias(expr, &name, env));
        }
    }

    fn alias(&self, name: &str, expr: &Expr) -> Alias {
        let aggregates = self.has_aggregate(expr);
        Alias {
            name: name.to_owned(),
            expr: expr.clone(),
            aggregates,
            explicit: false,
            lateral: self.uses_lateral,
        }
    }

    /// Resolves an expression without an alias, and names it.
    fn named(&mut self, expr: Expr, env: &Env<'_>, aliases: &[Alias]) -> Result<(Expr, String)> {
        let mut resolved = expr.clone();
        self.captured.clear();
        self.expr(&mut resolved, env, lateral(aliases))?;
        let queries = std::cell::RefCell::new(std::mem::take(&mut self.captured).into_iter());
        let words = Words { resolver: self, env, aliases, queries };
        let name = match plain(&expr) {
            Expr::Identifier(ident) if !variables::is_reference(ident) => ident.value.clone(),
            Expr::CompoundIdentifier(parts) => {
                parts.last().map(|part| part.value.clone()).unwrap_or_default()
            }
            Expr::CompoundFieldAccess { access_chain, .. }
                if access_chain.iter().all(|access| matches!(access, ast::AccessExpr::Dot(_))) =>
            {
                match (access_chain.last(), name_of(&expr, &words)) {
                    (Some(ast::AccessExpr::Dot(field)), name) if !name.contains('(') => {
                        field.to_string().replace('`', "")
                    }
                    (_, name) => name,
                }
            }
            // Spark calls a column that is cast as the column.
            Expr::Cast { expr: inner, array: false, .. }
                if cast_column(inner, &words).is_some() =>
            {
                cast_column(inner, &words).unwrap_or_default()
            }
            other => name_of(other, &words),
        };
        let name = match (&resolved, plain(&expr)) {
            (Expr::Function(_), Expr::Identifier(_)) => {
                let calls = !env.from.visible().any(|column| self.same.is(&column.name, &name));
                if calls
                    && matches!(&resolved, Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case(&name))
                {
                    format!("{}()", name.to_lowercase())
                } else {
                    name
                }
            }
            _ => name,
        };
        Ok((resolved, name))
    }

    /// The columns that a star stands for, with their names.
    pub(super) fn star(
        &mut self,
        path: Option<&[Ident]>,
        options: &WildcardAdditionalOptions,
        env: &Env<'_>,
    ) -> Result<Vec<(String, Expr)>> {
        let columns: Vec<(String, Expr)> = match path {
            None if env.from.columns.is_empty() && env.from.fields.is_empty() => {
                return Err(Error::new(
                    Condition::INVALID_USAGE_OF_STAR,
                    "`*` stands where there is no FROM",
                )
                .hint("name the columns"));
            }
            None => env.from.visible().map(|c| (c.name.clone(), c.reference.clone())).collect(),
            Some(path) => self.qualified_star(path, env)?,
        };
        super::star::apply(self, columns, options, env)
    }

    fn qualified_star(&mut self, path: &[Ident], env: &Env<'_>) -> Result<Vec<(String, Expr)>> {
        let found = env.from.of_table(path, self.same);
        if !found.is_empty() {
            return Ok(found.iter().map(|c| (c.name.clone(), c.reference.clone())).collect());
        }
        let Some(value) = self.column(path, env)? else {
            let mut outer = env.parent;
            while let Some(env) = outer {
                let found = env.from.of_table(path, self.same);
                if !found.is_empty() {
                    found.iter().for_each(|column| self.note(column, env));
                    return Ok(found
                        .iter()
                        .map(|c| (c.name.clone(), c.reference.clone()))
                        .collect());
                }
                outer = env.parent;
            }
            let name = errors::words(path);
            let error = Error::new(
                Condition::CANNOT_RESOLVE_STAR,
                format!("`{name}.*` names no table and no struct"),
            )
            .parameter("targetString", name);
            return Err(errors::at(error, path));
        };
        let data_type = self.type_of(&value, env);
        self.fields_of(value, &data_type, &errors::words(path))
    }

    fn fields_of(
        &mut self,
        value: Expr,
        data_type: &DataType,
        name: &str,
    ) -> Result<Vec<(String, Expr)>> {
        let DataType::Struct(fields) = data_type else {
            return Err(Error::new(
                Condition::CANNOT_RESOLVE_STAR,
                format!("`{name}.*` names no table and no struct"),
            ));
        };
        let columns = fields.iter().map(|field| {
            let path = [Ident::with_quote('`', field.name().as_str())];
            Ok((field.name().clone(), self.fields(value.clone(), data_type, &path)?))
        });
        columns.collect()
    }

    /// The names and types of a resolved SELECT list.
    fn outputs(&self, projection: &[SelectItem], env: &Env<'_>) -> Result<Vec<Output>> {
        let mut outputs = Vec::with_capacity(projection.len());
        for item in projection {
            match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAliases { expr, .. }
                    if generators::call_of(expr).is_some() =>
                {
                    outputs.extend(self.generated(item, env)?);
                }
                SelectItem::UnnamedExpr(expr) => {
                    let name = match expr {
                        Expr::Identifier(ident) => ident.value.clone(),
                        Expr::CompoundIdentifier(parts) => {
                            parts.last().map(|part| part.value.clone()).unwrap_or_default()
                        }
                        other => other.to_string(),
                    };
                    outputs.push(Output { name, data_type: self.output_type(expr, env) });
                }
                SelectItem::ExprWithAlias { expr, .. } if generators::call_of(expr).is_some() => {
                    outputs.extend(self.generated(item, env)?);
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let name = alias.value.clone();
                    outputs.push(Output { name, data_type: self.output_type(expr, env) });
                }
                _ => {}
            }
        }
        Ok(outputs)
    }

    /// The type of a column of a SELECT list. Only queries around this one ask for it: that of
    /// the outermost is left to the planner.
    fn output_type(&self, expr: &Expr, env: &Env<'_>) -> DataType {
        match env.parent {
            Some(_) => self.type_of(expr, env),
            None => super::groups::column_type(expr, env),
        }
    }

    /// The columns that a generator of a SELECT list gives.
    fn generated(&self, item: &SelectItem, env: &Env<'_>) -> Result<Vec<Output>> {
        let (expr, names): (&Expr, Vec<String>) = match item {
            SelectItem::UnnamedExpr(expr) => (expr, Vec::new()),
            SelectItem::ExprWithAlias { expr, alias } => (expr, vec![alias.value.clone()]),
            SelectItem::ExprWithAliases { expr, aliases } => {
                (expr, aliases.iter().map(|alias| alias.value.clone()).collect())
            }
            _ => return Ok(Vec::new()),
        };
        let Some(function) = generators::call_of(expr) else { return Ok(Vec::new()) };
        let fields = match super::super::lateral::generator(&function.name) {
            Some(generator) => {
                let value = generator.value(arguments_of(&function.args));
                let data_type = value.map_or(DataType::Null, |value| self.type_of(&value, env));
                // What the planner cannot tell the type of, it refuses in better words.
                generator.fields(&data_type).ok()
            }
            None => None,
        };
        let fields = fields.iter().flat_map(|fields| fields.iter());
        let outputs = fields.enumerate().map(|(at, field)| Output {
            name: names.get(at).unwrap_or(field.name()).clone(),
            data_type: field.data_type().clone(),
        });
        Ok(outputs.collect())
    }
}

/// Names within an expression that is being named.
struct Words<'w, 'r> {
    resolver: &'w Resolver<'r>,
    env: &'w Env<'w>,
    aliases: &'w [Alias],
    /// What each query within the expression uses of this one.
    queries: std::cell::RefCell<std::vec::IntoIter<Vec<String>>>,
}

impl Paths for Words<'_, '_> {
    fn word(&self, parts: &[Ident]) -> String {
        if let [ident] = parts
            && let Some(word) = variables::word(ident)
        {
            return word;
        }
        let same = self.resolver.same;
        let join = |parts: &[Ident]| errors::words(parts);
        let mut env = Some(self.env);
        while let Some(here) = env {
            let (found, used) = here.from.find(parts, same);
            if let Some(column) = found.first() {
                let name = join(&parts[used - 1..]);
                if here.depth == self.env.depth {
                    return name;
                }
                let words = column.qualifier.iter().map(String::as_str).chain([name.as_str()]);
                return format!("outer({})", words.collect::<Vec<_>>().join("."));
            }
            if here.depth == self.env.depth
                && self.aliases.iter().any(|alias| same.is(&alias.name, &parts[0].value))
            {
                return format!("lateralAliasReference({})", join(parts));
            }
            env = here.parent;
        }
        let written = join(parts);
        if let Some((variable, fields)) = variables::find(parts, &self.resolver.scope.variables) {
            let fields = fields.iter().map(|field| format!(".{}", field.value));
            return variables::word(&variable).unwrap_or_default() + &fields.collect::<String>();
        }
        match parts {
            [one] if one.quote_style.is_none() => format!("{}()", written.to_lowercase()),
            _ => written,
        }
    }

    fn outer_columns(&self, _query: &ast::Query) -> String {
        self.queries.borrow_mut().next().unwrap_or_default().join(", ")
    }

    fn function(&self, name: &str) -> Option<String> {
        self.resolver.scope.functions.own_name(name)
    }

    fn star(&self, argument: &ast::FunctionArg) -> Option<Vec<String>> {
        let ast::FunctionArg::Unnamed(argument) = argument else { return None };
        let from = self.env.from;
        let all = || from.visible().map(|column| column.name.clone()).collect::<Vec<_>>();
        match argument {
            ast::FunctionArgExpr::Wildcard => Some(all()),
            ast::FunctionArgExpr::WildcardWithOptions(options) => {
                let gone = super::star::excluded(options);
                let same = self.resolver.same;
                let is_gone = |name: &str, path: &[Ident]| matches!(path, [gone] if same.is(name, &gone.value));
                let is_left = |name: &String| !gone.iter().any(|path| is_gone(name, path));
                Some(all().into_iter().filter(is_left).collect())
            }
            ast::FunctionArgExpr::QualifiedWildcard(name) => {
                let found = from.of_table(&idents_of(name), self.resolver.same);
                let names = found.iter().map(|column| column.name.clone());
                Some(names.collect()).filter(|_| !found.is_empty())
            }
            _ => None,
        }
    }

    fn column_type(&self, parts: &[Ident]) -> Option<DataType> {
        let (found, used) = self.env.from.find(parts, self.resolver.same);
        match found.as_slice() {
            [column] if used == parts.len() => Some(column.data_type.clone()),
            _ => None,
        }
    }
}

/// The arguments of a call that are expressions.
pub(super) fn arguments_of(args: &ast::FunctionArguments) -> Vec<Expr> {
    let ast::FunctionArguments::List(list) = args else { return Vec::new() };
    list.args.iter().filter_map(super::from::argument).cloned().collect()
}

/// A column of the result, to be ordered by under its name.
fn named_output(output: &Output) -> Alias {
    let (name, expr) = (output.name.clone(), quoted(&output.name));
    Alias { name, expr, aggregates: false, explicit: true, lateral: false }
}

/// An item of the SELECT list, to be ordered by under its name.
fn by_name(alias: &Alias) -> Alias {
    Alias { expr: quoted(&alias.name), ..alias.clone() }
}

/// The name of a column, or of an alias before it, that a cast is of; no field of a struct.
fn cast_column(inner: &Expr, words: &Words<'_, '_>) -> Option<String> {
    let path = match inner {
        Expr::Identifier(ident) if !variables::is_reference(ident) => std::slice::from_ref(ident),
        Expr::CompoundIdentifier(parts) => parts.as_slice(),
        _ => return None,
    };
    let name = &path.last()?.value;
    let same = words.resolver.same;
    let (found, used) = words.env.from.find(path, same);
    let is_column = !found.is_empty() && used == path.len();
    let is_alias = path.len() == 1 && words.aliases.iter().any(|alias| same.is(&alias.name, name));
    (is_column || is_alias).then(|| name.clone())
}

fn quoted(name: &str) -> Expr {
    Expr::Identifier(Ident::with_quote('`', name))
}

/// HAVING without GROUP BY becomes a part of WHERE.
fn having_as_where(select: &mut ast::Select) {
    let is_grouped = !matches!(&select.group_by, ast::GroupByExpr::Expressions(keys, modifiers)
        if keys.is_empty() && modifiers.is_empty());
    if is_grouped {
        return;
    }
    let nested = |condition| Box::new(Expr::Nested(Box::new(condition)));
    select.selection = match (select.selection.take(), select.having.take()) {
        (Some(condition), Some(having)) => Some(Expr::BinaryOp {
            left: nested(condition),
            op: ast::BinaryOperator::And,
            right: nested(having),
        }),
        (condition, having) => condition.or(having),
    };
}

fn lateral(aliases: &[Alias]) -> Names<'_> {
    Names { aliases, clause: Clause::Select, ..Names::default() }
}

fn is_star(item: &SelectItem) -> bool {
    matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
}

/// The expression within parentheses.
pub(super) fn plain(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => plain(inner),
        other => other,
    }
}

/// A column of FROM keeps its own name; everything else gets the one given.
fn with_alias(expr: Expr, name: &str, env: &Env<'_>) -> SelectItem {
    let own = match &expr {
        Expr::Identifier(ident) => Some(&ident.value),
        Expr::CompoundIdentifier(parts) => parts.last().map(|part| &part.value),
        _ => None,
    };
    // To the planner, a column of a query around has a name of another kind.
    let is_here = env.from.columns.iter().any(|column| column.reference == expr);
    if own.is_some_and(|own| own == name) && (is_here || env.parent.is_none()) {
        return SelectItem::UnnamedExpr(expr);
    }
    SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('`', name) }
}

/// Marks the second and later columns of one name, so that the plan can tell them apart; columns of
/// different tables may be told apart by these.
fn part_duplicates(items: &mut [SelectItem], aliases: &mut [Alias], by_table: bool) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut paths: HashSet<Vec<Ident>> = HashSet::new();
    let mut bare: HashSet<String> = HashSet::new();
    let mut named = aliases.iter_mut();
    for item in items {
        let (name, expr) = match item {
            SelectItem::UnnamedExpr(expr) => {
                let name = match &*expr {
                    Expr::Identifier(ident) => ident.value.clone(),
                    Expr::CompoundIdentifier(parts) => {
                        parts.last().map(|part| part.value.clone()).unwrap_or_default()
                    }
                    _ => continue,
                };
                (name, expr.clone())
            }
            SelectItem::ExprWithAlias { expr, alias } => (alias.value.clone(), expr.clone()),
            _ => continue,
        };
        let alias = named.next();
        let is_told_apart = match &*item {
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(path)) => {
                by_table && paths.insert(path.clone()) && !bare.contains(&name)
            }
            _ => {
                bare.insert(name.clone());
                false
            }
        };
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 && !is_told_apart {
            let marked = format!("{name}{DUPLICATE_MARK}{count}");
            if let Some(alias) = alias {
                alias.name.clone_from(&marked);
            }
            *item = SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('`', marked) };
        }
    }
}

/// The words of a name.
pub(super) fn idents_of(name: &ObjectName) -> Vec<Ident> {
    name.0.iter().filter_map(ObjectNamePart::as_ident).cloned().collect()
}

/// A SELECT of nothing from nowhere.
pub(in crate::analyze) fn empty_select() -> ast::Select {
    ast::Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: Vec::new(),
        exclude: None,
        into: None,
        from: Vec::new(),
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: ast::GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: ast::SelectFlavor::Standard,
    }
}
