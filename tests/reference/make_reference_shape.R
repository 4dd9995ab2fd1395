# Makes hazards_shape.csv of this folder: what R says of the shape of effects, of the data in hazards_data.csv.
#   Rscript tests/reference/make_reference_shape.R [folder]
# Needs survival (Debian: r-cran-survival), after make_reference_hazards.R. The tests compare with the committed file.
suppressPackageStartupMessages({
  library(survival)
  library(splines)
})

arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
folder <- if (length(arguments)) arguments[1] else dirname(script)
data <- subset(read.csv(file.path(folder, "hazards_data.csv")), dataset == "simulated")
data$relapsed <- as.integer(data$event == "relapse")
exact <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 60)
rows <- list()
add <- function(what, term, group, value) rows[[length(rows) + 1]] <<- data.frame(what, term, group, value)

# curve against straight line
straight <- coxph(Surv(entry, time, relapsed) ~ age + marker + strata(line), data, control = exact)
curve <- coxph(Surv(entry, time, relapsed) ~ age + bs(marker, df = 4) + strata(line), data, control = exact)
add("likelihood ratio", "marker", 0, 2 * (curve$loglik[2] - straight$loglik[2]))
basis <- bs(data$marker, df = 4)[, 1:3]
colnames(basis) <- paste0("b", 1:3)
data <- cbind(data, basis)
robust <- coxph(
  Surv(entry, time, relapsed) ~ age + marker + b1 + b2 + b3 + strata(line), data, cluster = patient_id, control = exact
)
bent <- c("b1", "b2", "b3")
add("Wald, robust", "marker", 0, drop(coef(robust)[bent] %*% solve(vcov(robust)[bent, bent], coef(robust)[bent])))

# events seen and expected by fifths of the marker
edges <- unique(quantile(data$marker, 1:4 / 5, type = 1))
group <- findInterval(data$marker, edges, left.open = TRUE) + 1
expected <- data$relapsed - residuals(straight, "martingale")
for (g in unique(sort(group))) {
  add("events", "marker", g, sum(data$relapsed[group == g]))
  add("expected", "marker", g, sum(expected[group == g]))
  limits <- poisson.test(sum(data$relapsed[group == g]), sum(expected[group == g]))$conf.int
  add("low", "marker", g, limits[1])
  add("high", "marker", g, limits[2])
}

# hazard ratio by thirds of the event times
scaled <- residuals(straight, "scaledsch")
at <- data$time[data$relapsed == 1][order(data$line[data$relapsed == 1], data$time[data$relapsed == 1])]
third <- findInterval(at, unique(quantile(at, 1:2 / 3, type = 1)), left.open = TRUE) + 1
for (term in c("age", "marker")) for (g in 1:3) {
  add("by time", term, g, mean(scaled[third == g, match(term, c("age", "marker"))]))
  add("error by time", term, g, sqrt(vcov(straight)[term, term] * length(at) / sum(third == g)))
}

# an effect for each period
split <- survSplit(Surv(entry, time, relapsed) ~ ., data, cut = c(8, 20), episode = "period")
for (p in 1:3) split[[paste0("marker", p)]] <- split$marker * (split$period == p)
periods <- coxph(
  Surv(entry, time, relapsed) ~ age + stage + marker1 + marker2 + marker3 + strata(line), split,
  cluster = patient_id, control = exact
)
for (term in names(coef(periods))) {
  add("coefficient", term, 0, coef(periods)[[term]])
  add("robust error", term, 0, sqrt(vcov(periods)[term, term]))
}

shape <- do.call(rbind, rows)
shape$value <- formatC(shape$value, digits = 17, format = "g", width = 1)
write.csv(shape, file.path(folder, "hazards_shape.csv"), row.names = FALSE, quote = TRUE)
