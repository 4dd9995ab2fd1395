# Makes hazards_*.csv in this folder: the data and what R says of them. Run by `make reference`, or
#   Rscript tests/reference/make_reference_hazards.R [folder]
# Needs survival, cmprsk and mets (Debian: r-cran-survival r-cran-cmprsk r-cran-mets); see sessionInfo.txt for the versions used.
# The tests compare with the committed files, so no test run needs R.
suppressPackageStartupMessages({
  library(survival)
  library(cmprsk)
  library(mets)
})

invisible(Sys.setlocale("LC_COLLATE", "C"))
arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
folder <- if (length(arguments)) arguments[1] else dirname(script)
save_csv <- function(frame, name) {
  numbers <- vapply(frame, is.double, TRUE)
  frame[numbers] <- lapply(frame[numbers], function(x) ifelse(is.na(x), "", formatC(x, digits = 17, format = "g", width = 1)))
  write.csv(frame, file.path(folder, name), row.names = FALSE, na = "", quote = which(!numbers))
}
# R stops early by default; here it goes on until nothing moves.
exact <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 60)

# --- data -----------------------------------------------------------------------------------------------------------

# Patients with one to four spells each, whole weeks with many ties, entries that equal others' exits, weights.
simulated <- function(patients = 110, seed = 4) {
  set.seed(seed)
  spells <- 1 + rbinom(patients, 3, 0.4)
  id <- rep(seq_len(patients), spells)
  n <- length(id)
  line <- sequence(spells)
  frailty <- exp(rnorm(patients, 0, 0.4))[id]
  age <- round(rnorm(patients, 66, 9))[id]
  sex <- sample(c("female", "male"), patients, replace = TRUE)[id]
  stage <- sample(c("I", "II", "III"), patients, replace = TRUE, prob = c(3, 4, 3))[id]
  marker <- round(rgamma(n, 2, 0.5), 1)
  speed <- frailty * exp(0.02 * (age - 66) + 0.3 * (sex == "male") + 0.35 * (stage == "II") + 0.6 * (stage == "III") + 0.08 * marker)
  relapse <- rexp(n, speed * line / 60)
  death <- rexp(n, speed / 120)
  censoring <- runif(n, 4, 60)
  entry <- ifelse(runif(n) < 0.4, sample(1:15, n, replace = TRUE), 0)
  time <- entry + ceiling(pmin(relapse, death, censoring))
  event <- ifelse(relapse <= pmin(death, censoring), "relapse", ifelse(death <= censoring, "death", "censored"))
  gap <- ave(time, id, FUN = cumsum)
  data.frame(
    dataset = "simulated", patient_id = id, line, start = gap - time, entry, time, event, age, sex, stage, marker,
    weight = sample(1:3, n, replace = TRUE)
  )
}

# What breaks programs; `entry` of each of the first set equals another's exit.
hard <- function() {
  block <- function(dataset, time, event, age, entry = 0, line = 1, weight = 1) {
    data.frame(
      dataset, patient_id = seq_along(time), line, start = 0, entry, time, event, age, sex = "female", stage = "I",
      marker = rev(age) %% 7, weight
    )
  }
  r <- "relapse"
  cc <- "censored"
  rbind(
    block("touching", c(3, 3, 6, 6, 6, 9, 9, 12, 12), c(r, cc, r, r, cc, r, cc, r, cc), c(61, 70, 55, 66, 72, 58, 63, 69, 50),
      entry = c(0, 0, 3, 0, 3, 3, 6, 6, 9)),
    block("one event", c(4, 5, 7, 9, 9), c(cc, r, cc, cc, cc), c(60, 70, 80, 50, 75)),
    block("all tied", rep(5, 8), c(r, r, cc, r, r, cc, r, cc), c(60, 71, 66, 58, 77, 49, 68, 70)),
    block("silent stratum", c(1, 4, 6, 8, 2, 5, 6, 9, 3, 4, 7), c(r, r, cc, r, cc, cc, cc, cc, r, r, cc),
      c(60, 71, 66, 58, 77, 49, 68, 70, 52, 65, 59), line = c(1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3)),
    block("no weight", c(2, 3, 3, 5, 6, 8, 9, 9, 11), c(r, r, cc, r, r, cc, r, cc, r), c(60, 71, 66, 58, 77, 49, 68, 70, 64),
      weight = c(1, 2, 0, 1, 0, 1, 3, 1, 0.5))
  )
}

# Monoclonal gammopathy (survival::mgus2) without rows of unknown spike; delayed entry in survival::myeloma, every fifth row.
gammopathy <- function() {
  d <- subset(mgus2, !is.na(mspike))
  data.frame(
    dataset = "mgus2", patient_id = d$id, line = 1, start = 0, entry = 0, time = ifelse(d$pstat == 1, d$ptime, d$futime),
    event = ifelse(d$pstat == 1, "relapse", ifelse(d$death == 1, "death", "censored")), age = d$age,
    sex = ifelse(d$sex == "F", "female", "male"), stage = "I", marker = d$mspike, weight = 1
  )
}

referred <- function() {
  d <- subset(survival::myeloma, entry < futime)
  d <- d[seq(1, nrow(d), 5), ]
  data.frame(
    dataset = "myeloma", patient_id = d$id, line = 1, start = 0, entry = d$entry, time = d$futime,
    event = ifelse(d$death == 1, "death", "censored"), age = d$year, sex = "female", stage = "I", marker = 0, weight = 1
  )
}

data <- rbind(simulated(), hard(), gammopathy(), referred())
save_csv(data, "hazards_data.csv")
sets <- split(data, factor(data$dataset, unique(data$dataset)))

# --- every combination ----------------------------------------------------------------------------------------------

combinations <- expand.grid(
  ties = c("efron", "breslow"), cluster = c(FALSE, TRUE), weights = c("none", "whole", "fractional"), entry = c(FALSE, TRUE),
  strata = c(FALSE, TRUE), stringsAsFactors = FALSE
)

model <- function(d, terms, strata = FALSE, entry = FALSE, weights = "none", cluster = FALSE, ties = "efron", cause = "relapse") {
  d$had <- as.integer(d$event == cause)
  d$w <- switch(weights, none = 1, whole = d$weight, fractional = 0.37 * d$weight, given = d$weight)
  d <- d[d$w > 0, ] # R refuses weights of zero; leaving the rows out is what they mean
  d$cl <- if (cluster) d$patient_id else seq_len(nrow(d))
  outcome <- if (entry) "Surv(entry, time, had)" else "Surv(time, had)"
  formula <- as.formula(paste(outcome, "~", terms, if (strata) "+ strata(line)"))
  do.call(coxph, list(formula, data = d, weights = d$w, cluster = d$cl, robust = TRUE, ties = ties, control = exact))
}

all_terms <- "age + sex + stage + marker"
label <- function(row) with(row, paste(strata, entry, weights, cluster, ties))
fits <- lapply(seq_len(nrow(combinations)), function(i) do.call(model, c(list(sets$simulated, all_terms), combinations[i, ])))

effects_of <- function(fit, ...) {
  naive <- if (is.null(fit$naive.var)) fit$var else fit$naive.var
  data.frame(..., term = names(coef(fit)), coefficient = coef(fit), model_error = sqrt(diag(naive)), robust_error = sqrt(diag(fit$var)))
}
save_csv(do.call(rbind, Map(function(i, fit) effects_of(fit, combinations[i, ], row.names = NULL), seq_along(fits), fits)), "hazards_effects.csv")

tests_of <- function(fit) {
  model_wald <- drop(coef(fit) %*% solve(fit$naive.var, coef(fit)))
  data.frame(
    null = fit$loglik[1], fitted = fit$loglik[2], likelihood_ratio = 2 * diff(fit$loglik), score = fit$score, wald = model_wald,
    robust_wald = unname(fit$wald.test), robust_score = fit$rscore
  )
}
save_csv(do.call(rbind, Map(function(i, fit) data.frame(combinations[i, ], tests_of(fit), row.names = NULL), seq_along(fits), fits)), "hazards_tests.csv")

# Cumulative baseline hazard where every covariate is 0 (centred = FALSE), and its model-based error without weights.
baseline_of <- function(fit, ...) {
  found <- basehaz(fit, centered = FALSE)
  line <- if (is.null(found$strata)) 0 else as.integer(sub("line=", "", found$strata))
  data.frame(..., line, time = found$time, hazard = found$hazard, row.names = NULL)
}
plain <- which(!combinations$cluster & combinations$weights != "whole")
save_csv(do.call(rbind, lapply(plain, function(i) baseline_of(fits[[i]], combinations[i, c("ties", "weights", "entry", "strata")]))), "hazards_baseline.csv")

# --- the hard ones and the real ones ---------------------------------------------------------------------------------

others <- rbind(
  effects_of(model(sets$touching, "age + marker", entry = TRUE), dataset = "touching", ties = "efron", entry = TRUE, strata = FALSE, cause = "relapse"),
  effects_of(model(sets$touching, "age + marker", entry = TRUE, ties = "breslow"), dataset = "touching", ties = "breslow", entry = TRUE, strata = FALSE, cause = "relapse"),
  effects_of(model(sets[["one event"]], "age"), dataset = "one event", ties = "efron", entry = FALSE, strata = FALSE, cause = "relapse"),
  effects_of(model(sets[["all tied"]], "age + marker"), dataset = "all tied", ties = "efron", entry = FALSE, strata = FALSE, cause = "relapse"),
  effects_of(model(sets[["all tied"]], "age + marker", ties = "breslow"), dataset = "all tied", ties = "breslow", entry = FALSE, strata = FALSE, cause = "relapse"),
  effects_of(model(sets[["silent stratum"]], "age + marker", strata = TRUE), dataset = "silent stratum", ties = "efron", entry = FALSE, strata = TRUE, cause = "relapse"),
  effects_of(model(sets[["no weight"]], "age + marker", weights = "given"), dataset = "no weight", ties = "efron", entry = FALSE, strata = FALSE, cause = "relapse"),
  effects_of(model(sets$mgus2, "age + sex + marker"), dataset = "mgus2", ties = "efron", entry = FALSE, strata = FALSE, cause = "relapse"),
  effects_of(model(sets$mgus2, "age + sex + marker", ties = "breslow"), dataset = "mgus2", ties = "breslow", entry = FALSE, strata = FALSE, cause = "relapse"),
  effects_of(model(sets$mgus2, "age + sex + marker", cause = "death"), dataset = "mgus2", ties = "efron", entry = FALSE, strata = FALSE, cause = "death"),
  effects_of(model(sets$myeloma, "age", entry = TRUE, cause = "death"), dataset = "myeloma", ties = "efron", entry = TRUE, strata = FALSE, cause = "death")
)
save_csv(others, "hazards_others.csv")

# --- residuals and proportional hazards ------------------------------------------------------------------------------

residuals_of <- function(i) {
  fit <- fits[[i]]
  score <- residuals(fit, "score")
  change <- residuals(fit, "dfbeta")
  colnames(score) <- paste0("score_", seq_len(ncol(score)))
  colnames(change) <- paste0("dfbeta_", seq_len(ncol(change)))
  data.frame(model = label(combinations[i, ]), row = seq_len(nrow(score)), martingale = residuals(fit, "martingale"), score, change)
}
schoenfeld_of <- function(i) {
  fit <- fits[[i]]
  plain <- residuals(fit, "schoenfeld")
  scaled <- residuals(fit, "scaledsch")
  colnames(plain) <- paste0("plain_", seq_len(ncol(plain)))
  colnames(scaled) <- paste0("scaled_", seq_len(ncol(scaled)))
  data.frame(model = label(combinations[i, ]), time = as.numeric(rownames(residuals(fit, "schoenfeld"))), plain, scaled)
}
shown <- which(!combinations$cluster & ((combinations$strata & combinations$entry & combinations$weights == "fractional" & combinations$ties == "efron") |
  (!combinations$strata & !combinations$entry & combinations$weights == "none" & combinations$ties == "breslow")))
save_csv(do.call(rbind, lapply(shown, residuals_of)), "hazards_residuals.csv")
save_csv(do.call(rbind, lapply(shown, schoenfeld_of)), "hazards_schoenfeld.csv")

proportional_of <- function(i, transform, terms) {
  found <- cox.zph(fits[[i]], transform = transform, terms = terms)$table
  data.frame(combinations[i, ], transform, by_term = terms, term = rownames(found), found, row.names = NULL)
}
save_csv(rbind(
  do.call(rbind, lapply(seq_along(fits), proportional_of, "km", TRUE)),
  do.call(rbind, lapply(shown, proportional_of, "km", FALSE)),
  do.call(rbind, lapply(shown, proportional_of, "rank", TRUE)),
  do.call(rbind, lapply(shown, proportional_of, "log", TRUE)),
  do.call(rbind, lapply(shown, proportional_of, "identity", TRUE))
), "hazards_proportional.csv")

# --- Fine and Gray -----------------------------------------------------------------------------------------------------

# R's finegray(weights =) multiplies its weights by those given but leaves them out of G, so that a row of weight 2 is
# not two rows. Here finegray gets the rows repeated, which counts them in G, and one row of each kind is kept with its
# weight: G does not change when all weights are multiplied.
fine_gray_fit <- function(d, terms, strata, weights, cluster, in_g = TRUE) {
  d$event <- factor(d$event, c("censored", "relapse", "death"))
  d$row <- seq_len(nrow(d))
  d$copy <- 1
  d$w <- switch(weights, none = 1, whole = d$weight, fractional = 0.37 * d$weight)
  if (weights != "none" && in_g) {
    d <- d[rep(d$row, d$weight), ]
    d$copy <- ave(d$row, d$row, FUN = seq_along)
  }
  # Variables of the formula go into strata() and are not handed on, so `line` goes along under another name.
  d$stratum <- d$line
  wide <- as.formula(if (strata) "Surv(time, event) ~ . + strata(line)" else "Surv(time, event) ~ .")
  long <- subset(finegray(wide, data = d, etype = "relapse"), copy == 1)
  long$w <- long$w * long$fgwt
  long$cl <- if (cluster) long$patient_id else long$row
  formula <- as.formula(paste("Surv(fgstart, fgstop, fgstatus) ~", terms, if (strata) "+ strata(stratum)"))
  # A zero-length step of R's expansion cannot occur on whole times.
  do.call(coxph, list(formula, data = long, weights = long$w, cluster = long$cl, ties = "efron", control = exact))
}

fine_gray_rows <- function(name, terms, strata = FALSE, weights = "none", cluster = FALSE, in_g = TRUE) {
  fit <- fine_gray_fit(sets[[name]], terms, strata, weights, cluster, in_g)
  data.frame(dataset = name, r = if (in_g) "finegray" else "finegray, weights not in G", strata, weights, cluster, effects_of(fit), row.names = NULL)
}

# crr has neither strata (its cengroup is one of censoring alone) nor weights. The partial likelihood of a stratified model
# is the sum of those of its strata, score and information and the middle of the sandwich too, and crr gives these for
# each at any coefficients. Rows of weight w are repeated w times.
crr_parts <- function(rows, d, x, at) {
  fit <- crr(d$time[rows], match(d$event[rows], c("censored", "relapse", "death")) - 1, x[rows, ], init = at, maxiter = 0)
  list(score = fit$score, information = fit$inf, middle = fit$inf %*% fit$var %*% fit$inf)
}

crr_rows <- function(name, terms, strata = FALSE, weights = "none") {
  d <- sets[[name]]
  if (weights == "whole") d <- d[rep(seq_len(nrow(d)), d$weight), ]
  x <- model.matrix(as.formula(paste("~", terms)), d)[, -1]
  groups <- split(seq_len(nrow(d)), if (strata) d$line else rep(1, nrow(d)))
  at <- rep(0, ncol(x))
  # crr stops early, and its line search fails at a finer stop; plain Newton steps go all the way.
  for (step in 1:12) {
    parts <- lapply(groups, crr_parts, d, x, at)
    total <- function(what) Reduce("+", lapply(parts, `[[`, what))
    at <- at + drop(solve(total("information"), total("score")))
  }
  stopifnot(max(abs(total("score"))) < 1e-9)
  inverse <- solve(total("information"))
  data.frame(dataset = name, r = "crr", strata, weights, cluster = FALSE, term = colnames(x), coefficient = at,
    model_error = sqrt(diag(inverse)), robust_error = sqrt(diag(inverse %*% total("middle") %*% inverse)), row.names = NULL)
}

# mets has crr's model with strata and clusters too, but takes tied times one after another, so no times are equal here.
cifreg_rows <- function(strata, cluster) {
  d <- sets$simulated
  d$time <- d$time + seq_len(nrow(d)) / 1024
  d$code <- match(d$event, c("censored", "relapse", "death")) - 1
  d$cl <- if (cluster) d$patient_id else seq_len(nrow(d))
  formula <- as.formula(paste("Event(time, code) ~", all_terms, if (strata) "+ strata(line)", "+ cluster(cl)"))
  fit <- cifreg(formula, data = d, cause = 1, propodds = NULL, cens.model = if (strata) ~ strata(line) else ~1)
  data.frame(dataset = "untied", r = "cifreg", strata, weights = "none", cluster, term = names(coef(fit)), coefficient = unname(coef(fit)),
    model_error = sqrt(diag(fit$ihessian)), robust_error = sqrt(diag(fit$var)), row.names = NULL)
}

fine_gray_cases <- expand.grid(
  cluster = c(FALSE, TRUE), weights = c("none", "whole", "fractional"), strata = c(FALSE, TRUE), stringsAsFactors = FALSE
)
crr_cases <- expand.grid(weights = c("none", "whole"), strata = c(FALSE, TRUE), stringsAsFactors = FALSE)
every <- function(cases, rows) lapply(seq_len(nrow(cases)), function(i) do.call(rows, c(list("simulated", all_terms), cases[i, ])))
save_csv(rbind(
  do.call(rbind, every(fine_gray_cases, fine_gray_rows)), fine_gray_rows("mgus2", "age + sex + marker"),
  fine_gray_rows("simulated", all_terms, weights = "whole", in_g = FALSE),
  do.call(rbind, every(crr_cases, crr_rows)), crr_rows("mgus2", "age + sex + marker"),
  cifreg_rows(FALSE, FALSE), cifreg_rows(FALSE, TRUE), cifreg_rows(TRUE, FALSE), cifreg_rows(TRUE, TRUE)
), "hazards_fine_gray.csv")

# --- predictions ---------------------------------------------------------------------------------------------------------

profiles <- data.frame(age = c(55, 75), sex = c("female", "male"), stage = c("I", "III"), marker = c(2, 6), line = c(1, 2))

# Cumulative hazard and its model-based error for two patients.
hazard_rows <- function(strata, entry, ties) {
  d <- sets$simulated
  d$had <- as.integer(d$event == "relapse")
  outcome <- if (entry) "Surv(entry, time, had)" else "Surv(time, had)"
  formula <- as.formula(paste(outcome, "~", all_terms, if (strata) "+ strata(line)"))
  fit <- do.call(coxph, list(formula, data = d, ties = ties, control = exact))
  do.call(rbind, lapply(1:2, function(i) {
    found <- survfit(fit, newdata = profiles[i, ])
    data.frame(strata, entry, ties, profile = i, time = found$time, events = found$n.event, hazard = found$cumhaz, std_error = found$std.chaz)
  }))
}
cases <- expand.grid(ties = c("efron", "breslow"), entry = c(FALSE, TRUE), strata = c(FALSE, TRUE), stringsAsFactors = FALSE)
found <- do.call(rbind, lapply(seq_len(nrow(cases)), function(i) do.call(hazard_rows, cases[i, ])))
save_csv(subset(found, events > 0), "hazards_cumulative.csv")

# Risk by cause from the hazards of two cause-specific models, put together as in a multi-state model: S stays exp(-H).
# survfit of the multi-state coxph would do this in one call, but in 3.5-3 it centres wrongly: with the same coefficients
# its cumulative hazard of the first patient at 5 is 0.0897 where survfit of the single model has 0.1028.
risk_rows <- function() {
  d <- sets$simulated
  fit_of <- function(cause) {
    d$had <- as.integer(d$event == cause)
    do.call(coxph, list(as.formula(paste("Surv(time, had) ~", all_terms)), data = d, control = exact))
  }
  relapse <- survfit(fit_of("relapse"), newdata = profiles)
  death <- survfit(fit_of("death"), newdata = profiles)
  do.call(rbind, lapply(1:2, function(i) {
    jumps <- cbind(diff(c(0, relapse$cumhaz[, i])), diff(c(0, death$cumhaz[, i])))
    together <- rowSums(jumps)
    before <- exp(-(cumsum(together) - together))
    share <- ifelse(together > 0, -expm1(-together) / together, 1)
    risk <- apply(before * share * jumps, 2, cumsum)[findInterval(c(5, 15, 30), relapse$time), ]
    data.frame(profile = i, time = c(5, 15, 30), relapse = risk[, 1], death = risk[, 2])
  }))
}
save_csv(risk_rows(), "hazards_risk.csv")

# --- recurrent events ------------------------------------------------------------------------------------------------------

# The clock is that of the patient or of the line; strata are the lines (PWP), or the stage for Andersen-Gill. Without
# clusters every row is one.
recurrent_rows <- function(model, ties, cluster, weights, entry) {
  d <- sets$simulated
  d$had <- as.integer(d$event == "relapse")
  d$w <- switch(weights, none = 1, whole = d$weight, fractional = 0.37 * d$weight)
  d$cl <- if (cluster) d$patient_id else seq_len(nrow(d))
  d$begin <- ifelse(entry, 1, 0) * d$entry
  outcome <- if (model != "pwp_gap_time") "Surv(start + begin, start + time, had)" else if (entry) "Surv(begin, time, had)" else "Surv(time, had)"
  terms <- switch(model, andersen_gill = all_terms, "andersen_gill, strata" = "age + sex + marker + strata(stage)", paste(all_terms, "+ strata(line)"))
  formula <- as.formula(paste(outcome, "~", terms))
  fit <- do.call(coxph, list(formula, data = d, weights = d$w, cluster = d$cl, robust = TRUE, ties = ties, control = exact))
  effects_of(fit, model, ties, cluster, weights, entry)
}
recurrent_cases <- expand.grid(
  ties = c("efron", "breslow"), cluster = c(FALSE, TRUE), weights = c("none", "whole", "fractional"), entry = c(FALSE, TRUE),
  model = c("andersen_gill", "andersen_gill, strata", "pwp_total_time", "pwp_gap_time"), stringsAsFactors = FALSE
)
save_csv(do.call(rbind, lapply(seq_len(nrow(recurrent_cases)), function(i) do.call(recurrent_rows, recurrent_cases[i, ]))), "hazards_recurrent.csv")

# An offset.
offset_rows <- function() {
  d <- sets$simulated
  d$had <- as.integer(d$event == "relapse")
  effects_of(coxph(Surv(entry, time, had) ~ age + marker + offset(0.3 * line), d, robust = TRUE, cluster = patient_id, control = exact), model = "offset")
}
save_csv(offset_rows(), "hazards_offset.csv")
