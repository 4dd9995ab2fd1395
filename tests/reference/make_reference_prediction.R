# Makes the CSVs prediction_*.csv of this folder: scores of risks with competing events, as R has them. Run
#   Rscript tests/reference/make_reference_prediction.R [folder]
# Needs riskRegression, prodlim and survival (Debian: r-cran-riskregression r-cran-prodlim r-cran-survival). The tests
# compare with the committed files, so no test run needs R.
suppressPackageStartupMessages({
  library(riskRegression)
  library(prodlim)
  library(survival)
})

arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
folder <- if (length(arguments)) arguments[1] else dirname(script)
save_csv <- function(frame, name) {
  frame[] <- lapply(frame, function(column) if (is.double(column)) sprintf("%.17g", column) else column)
  write.csv(frame, file.path(folder, name), row.names = FALSE, na = "", quote = FALSE)
}

months <- c(12, 24)
horizons <- months * 365.25 / 12
set.seed(7)
size <- 250
made <- function(dataset, whole, competing) {
  x <- rnorm(size)
  relapse <- rexp(size, exp(0.7 * x) / 500)
  death <- if (competing) rexp(size, 1 / 1500) else rep(Inf, size)
  censored <- runif(size, 100, 1800)
  time <- pmin(relapse, death, censored)
  event <- ifelse(time == relapse, 1, ifelse(time == death, 2, 0))
  if (whole) time <- ceiling(time / 30) * 30 # months: ties of every kind
  risk <- function(noise, day) 1 - exp(-day / 600 * exp(0.6 * x + noise * rnorm(size)))
  near <- rnorm(size)
  data.frame(
    dataset, patient_id = sprintf("%s%03d", dataset, seq_len(size)), time, event,
    good_12 = 1 - exp(-horizons[1] / 600 * exp(0.6 * x)), good_24 = 1 - exp(-horizons[2] / 600 * exp(0.6 * x)),
    poor_12 = round(1 - exp(-horizons[1] / 700 * exp(0.2 * x + 0.5 * near)), 1), # rounded: ties of risks
    poor_24 = round(1 - exp(-horizons[2] / 700 * exp(0.2 * x + 0.5 * near)), 1)
  )
}
rows <- rbind(made("exact", FALSE, TRUE), made("monthly", TRUE, TRUE), made("alone", FALSE, FALSE))
save_csv(rows, "prediction_rows.csv")

scored <- do.call(rbind, lapply(split(rows, rows$dataset), function(data) {
  risks <- list(good = as.matrix(data[c("good_12", "good_24")]), poor = as.matrix(data[c("poor_12", "poor_24")]))
  competing <- any(data$event == 2)
  formula <- if (competing) Hist(time, event) ~ 1 else Surv(time, event) ~ 1
  score <- Score(risks, formula, data = data, cause = 1, times = horizons, metrics = c("auc", "brier"),
                 null.model = TRUE, se.fit = FALSE, contrasts = FALSE, cens.method = "ipcw", cens.model = "km",
                 summary = "ipa", conf.int = FALSE)
  auc <- as.data.frame(score$AUC$score)
  brier <- as.data.frame(score$Brier$score)
  found <- rbind(
    data.frame(model = auc$model, measure = "AUC", day = auc$times, value = auc$AUC),
    data.frame(model = brier$model, measure = "Brier score", day = brier$times, value = brier$Brier),
    data.frame(model = brier$model, measure = "scaled Brier score", day = brier$times, value = brier$IPA)
  )
  # Calibration slope: binomial regression with complementary log-log link, weighted by one over the censoring curve
  # just before each time. Events of a time come before its censorings, so these are moved a little later.
  curve <- survfit(Surv(ifelse(event == 0, time + 1e-7, time), event == 0) ~ 1, data = data, timefix = FALSE)
  before <- function(time) c(1, curve$surv)[findInterval(time - 1e-8, curve$time) + 1]
  for (name in names(risks)) for (place in 1:2) {
    day <- horizons[place]
    early <- data$time <= day & data$event != 0
    weight <- ifelse(early, 1 / before(data$time), ifelse(data$time >= day, 1 / before(day), 0))
    had <- as.numeric(data$event == 1 & data$time <= day)
    risk <- pmin(pmax(risks[[name]][, place], 1e-6), 1 - 1e-6)
    model <- suppressWarnings(glm(had ~ log(-log(1 - risk)), binomial("cloglog"), weights = weight,
                                  control = glm.control(1e-14, 100)))
    ratio <- sum(weight * had) / sum(risks[[name]][, place])
    found <- rbind(found,
                   data.frame(model = name, measure = "calibration slope", day, value = unname(coef(model)[2])),
                   data.frame(model = name, measure = "observed / expected", day, value = ratio))
    if (!competing) {
      agree <- concordance(Surv(time, event) ~ risk, data = cbind(data, risk), timewt = "n/G2", ymax = day, reverse = TRUE)
      found <- rbind(found, data.frame(model = name, measure = "Uno's C", day, value = unname(agree$concordance)))
    }
  }
  cbind(dataset = data$dataset[1], found)
}))
scored$horizon_months <- months[match(round(scored$day), round(horizons))]
scored$model <- sub("Null model", "null", scored$model)
save_csv(scored[c("dataset", "model", "measure", "horizon_months", "value")], "prediction_scores.csv")
writeLines(grep("locale|LAPACK|BLAS|time zone", capture.output(sessionInfo()), value = TRUE, invert = TRUE),
           file.path(folder, "prediction_sessionInfo.txt"))
