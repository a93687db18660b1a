//! Plots of the rows, as SVG: what an operation costs against how large the entries are, and how many.
//!
//! Both axes are logarithmic, and a line is one contender.

use std::path::Path;

use larder_core::BoxError;
use plotters::coord::combinators::IntoLogRange;
use plotters::prelude::{
    ChartBuilder, Circle, EmptyElement, IntoDrawingArea, IntoFont, LineSeries, PathElement, RGBColor,
    SVGBackend, Text, WHITE,
};
use plotters::style::ShapeStyle;

use super::row::{Row, Unit};
use super::statistics::median;

/// Colours that those who see few of them can tell apart too (Okabe and Ito).
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 0, 0),
    RGBColor(213, 94, 0),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(140, 140, 140),
];

/// The width and height of a plot with its legend.
const SIZE: (u32, u32) = (1000, 520);
/// Where the legend begins.
const LEGEND_AT: u32 = 680;

/// One line of a plot.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

/// What must cost the same however many entries there are, as the names of its tables begin.
const FLAT: [&str; 4] = ["hit", "miss", "write new", "open"];

/// Writes the plots of what was measured to `directory`.
///
/// # Errors
///
/// When they cannot be written.
pub(crate) fn write(rows: &[Row], directory: &Path) -> Result<(), BoxError> {
    std::fs::create_dir_all(directory)?;
    for (table, file) in [
        ("read, 1 task", "read-by-size-1-task.svg"),
        ("read, 64 tasks", "read-by-size-64-tasks.svg"),
        ("write new, 64 tasks", "write-by-size-64-tasks.svg"),
    ] {
        let title = format!("{table}: time and KiB of the body");
        draw(&directory.join(file), &title, &contenders(rows, table))?;
    }
    draw(&directory.join("time-by-entries.svg"), "time and number of entries", &operations(rows))
}

/// Returns a line for each contender of a table.
fn contenders(rows: &[Row], table: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in rows.iter().filter(|row| row.table == table) {
        for lane in &row.lanes {
            if let Some(cost) = median(&lane.rounds) {
                add(&mut lines, &lane.name, (row.at / 1024.0, cost));
            }
        }
    }
    lines
}

/// Returns a line for each operation that was measured at several numbers of entries.
fn operations(rows: &[Row]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let is_flat = |row: &&Row| FLAT.iter().any(|what| row.table.starts_with(what));
    for row in rows.iter().filter(|row| row.group == "scale").filter(is_flat) {
        if let Some(cost) = row.lane(row.subject).and_then(|lane| median(&lane.rounds)) {
            add(&mut lines, &row.table, (row.at, cost));
        }
    }
    lines
}

fn add(lines: &mut Vec<Line>, name: &str, point: (f64, f64)) {
    match lines.iter_mut().find(|line| line.name == name) {
        Some(line) => line.points.push(point),
        None => lines.push(Line { name: name.to_owned(), points: vec![point] }),
    }
}

/// Draws what has more than one point on each axis; a plot of less would show nothing.
fn draw(path: &Path, title: &str, lines: &[Line]) -> Result<(), BoxError> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let range = |value: fn(&(f64, f64)) -> f64| {
        let values = points().map(value);
        let (least, most) = values.fold((f64::MAX, f64::MIN), |(a, b), value| (a.min(value), b.max(value)));
        (least < most).then_some(least * 0.8..most * 1.2)
    };
    let (Some(across), Some(up)) = (range(|point| point.0), range(|point| point.1)) else { return Ok(()) };
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let (plot, legend) = area.split_horizontally(LEGEND_AT);
        let mut chart = ChartBuilder::on(&plot)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(32)
            .y_label_area_size(64)
            .build_cartesian_2d(across.log_scale(), up.log_scale())?;
        chart
            .configure_mesh()
            .x_label_formatter(&|at| format!("{at:.0}"))
            .y_label_formatter(&|cost| Unit::Nanoseconds.shown(*cost).replace(".00", "").replace(".0", ""))
            .label_style(("sans-serif", 13).into_font())
            .draw()?;
        for (number, line) in lines.iter().enumerate() {
            let style = style(number);
            chart.draw_series(LineSeries::new(line.points.iter().copied(), style))?;
            let circle =
                |point: &(f64, f64)| EmptyElement::at(*point) + Circle::new((0, 0), 3, style.filled());
            chart.draw_series(line.points.iter().map(circle))?;
            let height = 50 + 20 * i32::try_from(number)?;
            legend.draw(&PathElement::new([(4, height), (28, height)], style))?;
            legend.draw(&Text::new(line.name.as_str(), (34, height - 6), ("sans-serif", 13).into_font()))?;
        }
        area.present()?;
    }
    std::fs::write(path, text + "\n")?;
    Ok(())
}

/// Returns how a line looks; the second time round the colours, it is thin.
fn style(number: usize) -> ShapeStyle {
    let width = if number < COLOURS.len() { 3 } else { 1 };
    ShapeStyle::from(&COLOURS[number % COLOURS.len()]).stroke_width(width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::measure::Measured;

    #[test]
    fn a_table_of_two_columns_is_a_plot_with_a_line_for_each_contender() {
        let row = |at, cost: f64| {
            let lanes = vec![Measured::of("limit", vec![cost]), Measured::of("larder", vec![cost * 2.0])];
            Row::new("read", "read, 1 task", "", lanes).at(at)
        };
        let directory = tempfile::tempdir().expect("a directory");
        write(&[row(1024, 5e3), row(10_240, 6e3)], directory.path()).expect("drawn");
        let text =
            std::fs::read_to_string(directory.path().join("read-by-size-1-task.svg")).expect("written");
        assert!(text.contains("limit") && text.contains("larder") && text.contains("KiB"), "{text}");
        assert!(!directory.path().join("time-by-entries.svg").exists());
    }
}
