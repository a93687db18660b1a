//! Plots of the rows, as SVG: what an operation costs against how large the entries are, and how many.
//!
//! Both axes are logarithmic, and a line is one contender.

use std::path::Path;

use larder_core::BoxError;
use plotters::coord::combinators::IntoLogRange;
use plotters::prelude::{
    BLACK, ChartBuilder, Circle, EmptyElement, IntoDrawingArea, IntoFont, LineSeries, PathElement, RGBColor,
    SVGBackend, SeriesLabelPosition, WHITE,
};
use plotters::style::{Color, ShapeStyle};

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

/// The lines of one plot.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

/// Writes the plots of what was measured to `directory`.
///
/// # Errors
///
/// When they cannot be written.
pub(crate) fn write(rows: &[Row], directory: &Path) -> Result<(), BoxError> {
    std::fs::create_dir_all(directory)?;
    let bytes = |bytes: &f64| Unit::Bytes.shown(*bytes).replace(".00", "").replace(".0", "");
    let entries = |entries: &f64| format!("{entries:.0}");
    for (table, file) in [
        ("read, 1 task", "read-by-size-1-task.svg"),
        ("read, 64 tasks", "read-by-size-64-tasks.svg"),
        ("write new, 64 tasks", "write-by-size-64-tasks.svg"),
    ] {
        let lines = contenders(rows, table);
        draw(&directory.join(file), &format!("{table}: cost and size of the body"), &lines, &bytes)?;
    }
    let lines = operations(rows, "scale");
    draw(&directory.join("cost-by-entries.svg"), "cost and number of entries", &lines, &entries)
}

/// Returns a line for each contender of a table.
fn contenders(rows: &[Row], table: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in rows.iter().filter(|row| row.table == table) {
        for lane in &row.lanes {
            if let Some(cost) = median(&lane.rounds) {
                add(&mut lines, &lane.name, (row.at, cost));
            }
        }
    }
    lines
}

/// Returns a line for each table of a group, of its subject.
fn operations(rows: &[Row], group: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in rows.iter().filter(|row| row.group == group && row.unit == Unit::Nanoseconds) {
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
fn draw(path: &Path, title: &str, lines: &[Line], along: &dyn Fn(&f64) -> String) -> Result<(), BoxError> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let range = |value: fn(&(f64, f64)) -> f64| {
        let values = points().map(value);
        let (least, most) = values.fold((f64::MAX, f64::MIN), |(a, b), value| (a.min(value), b.max(value)));
        (least < most).then_some(least..most * 1.2)
    };
    let (Some(across), Some(up)) = (range(|point| point.0), range(|point| point.1)) else { return Ok(()) };
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (900, 560)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 20))
            .margin(12)
            .right_y_label_area_size(0)
            .x_label_area_size(36)
            .y_label_area_size(80)
            .build_cartesian_2d(across.log_scale(), up.log_scale())?;
        chart
            .configure_mesh()
            .x_label_formatter(along)
            .y_label_formatter(&|cost| Unit::Nanoseconds.shown(*cost))
            .label_style(("sans-serif", 13).into_font())
            .draw()?;
        for (number, line) in lines.iter().enumerate() {
            // The second time round, the lines are thinner.
            let width = if number < COLOURS.len() { 3 } else { 1 };
            let style = ShapeStyle::from(&COLOURS[number % COLOURS.len()]).stroke_width(width);
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), style))?
                .label(&line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
            chart.draw_series(
                line.points
                    .iter()
                    .map(|point| EmptyElement::at(*point) + Circle::new((0, 0), 3, style.filled())),
            )?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK)
            .label_font(("sans-serif", 12))
            .draw()?;
        area.present()?;
    }
    std::fs::write(path, text)?;
    Ok(())
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
        assert!(text.contains("limit") && text.contains("larder") && text.contains("10 KiB"), "{text}");
        assert!(!directory.path().join("cost-by-entries.svg").exists());
    }
}
