# Makes the CSVs pathways_*.csv of this folder: restricted means, tests between groups and occupancy, as R has them. Run
#   Rscript tests/reference/make_reference_pathways.R [folder]
# after make_reference.R, whose spells.csv it reads. Needs survival, cmprsk and etm (Debian: r-cran-survival r-cran-cmprsk
# r-cran-etm). The tests compare with the committed files, so no test run needs R.
suppressPackageStartupMessages({
  library(survival)
  library(cmprsk)
  library(etm)
})

invisible(Sys.setlocale("LC_COLLATE", "C"))
arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
folder <- if (length(arguments)) arguments[1] else dirname(script)
save_csv <- function(frame, name) write.csv(format_numbers(frame), file.path(folder, name), row.names = FALSE, na = "", quote = FALSE)

# write.csv keeps 15 digits; agreement to 1e-12 of small errors deserves all 17.
format_numbers <- function(frame) {
  frame[] <- lapply(frame, function(column) {
    if (is.double(column)) ifelse(is.na(column), NA, sprintf("%.17g", column)) else column
  })
  frame
}

spells <- read.csv(file.path(folder, "spells.csv"))
datasets <- split(spells, factor(spells$dataset, unique(spells$dataset)))
delayed <- function(data) any(data$entry > 0)

# --- restricted means -----------------------------------------------------------------------------------------------

# Past the last time a curve that is not at 0 has no known area: R draws it out, we do not, so those are left out.
known <- function(time, height, horizon) horizon <= max(time) || min(height) < 1e-12

survival_means <- function(data, horizon) {
  data$died <- as.integer(data$event != "censored")
  do.call(rbind, lapply(split(data, data$group), function(own) {
    fit <- if (delayed(data)) survfit(Surv(entry, time, died) ~ 1, own) else survfit(Surv(time, died) ~ 1, own)
    if (!known(own$time, fit$surv, horizon) || horizon < min(fit$time)) return(NULL) # before the first time R refuses
    table <- summary(fit, rmean = horizon)$table
    data.frame(
      dataset = own$dataset[1], weights = "none", horizon, stratum = own$group[1], estimand = "restricted mean survival", event = "any",
      estimate = table[["rmean"]], std_error = table[["se(rmean)"]]
    )
  }))
}

# The areas under pstate from time 0 and, for their errors, under each subject's influence. survfit keeps the influences
# without the subject's weight, and with delayed entry or istate a first one for the start.
areas <- function(fit, influence, weight, horizon) {
  extra <- dim(influence)[2] - length(fit$time)
  if (extra) influence <- influence[, -seq_len(extra), , drop = FALSE]
  time <- pmin(c(0, fit$time), horizon)
  width <- diff(c(time, horizon))
  moved <- apply(influence, c(1, 3), function(own) sum(own * width[-1]))
  list(estimate = colSums(rbind(fit$p0, fit$pstate) * width), std_error = sqrt(colSums((weight * moved)^2)))
}

cause_means <- function(data, horizon, weights = "none") {
  data$weight <- if (weights == "fractional") 0.37 * data$weight else 1
  data$outcome <- factor(data$event, c("censored", "relapse", "death"))
  do.call(rbind, lapply(split(data, data$group), function(own) {
    fit <- if (delayed(data)) {
      survfit(Surv(entry, time, outcome) ~ 1, own, id = id, weights = weight, influence = TRUE)
    } else {
      survfit(Surv(time, outcome) ~ 1, own, id = id, weights = weight, influence = TRUE)
    }
    if (!known(own$time, fit$pstate[, 1], horizon)) return(NULL)
    found <- areas(fit, fit$influence, own$weight, horizon)
    kept <- if (weights == "fractional") 1:3 else 2:3 # otherwise Greenwood's form stands for survival
    data.frame(
      dataset = own$dataset[1], weights, horizon, stratum = own$group[1],
      estimand = c("restricted mean survival", rep("restricted mean time lost", 2))[kept], event = c("any", "relapse", "death")[kept],
      estimate = found$estimate[kept], std_error = found$std_error[kept]
    )
  }))
}

means <- rbind(
  survival_means(datasets$simulated, 25), survival_means(datasets$simulated, 60),
  survival_means(datasets$hard, 4), survival_means(datasets$hard, 6.5),
  survival_means(datasets$mgus2, 120), survival_means(datasets$mgus2, 240), survival_means(datasets$myeloma, 1500),
  cause_means(datasets$simulated, 25), cause_means(datasets$simulated, 60), cause_means(datasets$simulated, 60, "fractional"),
  cause_means(datasets$hard, 4), cause_means(datasets$hard, 6.5), cause_means(datasets$mgus2, 120), cause_means(datasets$mgus2, 240)
)
means$std_error[means$std_error < 1e-14] <- NA # where subjects do not differ we give no error
save_csv(means, "pathways_means.csv")

# --- tests between groups -------------------------------------------------------------------------------------------

log_rank_row <- function(data, name, event, stratified = FALSE, ties = NULL) {
  data$had <- as.integer(if (event == "any") data$event != "censored" else data$event == event)
  right <- if (stratified) quote(group + strata(weight)) else quote(group)
  if (is.null(ties)) {
    found <- survdiff(eval(bquote(Surv(time, had) ~ .(right))), data)
    statistic <- found$chisq
    expected <- if (is.matrix(found$exp)) rowSums(found$exp) else found$exp
    freedom <- sum(expected > 0) - 1
  } else {
    # survdiff refuses delayed entry; the score test of the exact partial likelihood is the same statistic.
    found <- coxph(eval(bquote(Surv(entry, time, had) ~ .(right))), data, ties = ties, control = coxph.control(iter.max = 0))
    statistic <- found$score
    freedom <- length(coef(found))
  }
  data.frame(test = "log-rank", dataset = name, event, stratified, statistic, df = freedom)
}

gray_rows <- function(data, name, stratified = FALSE) {
  strata <- if (stratified) data$weight else rep(1, nrow(data))
  found <- cuminc(data$time, data$event, data$group, strata, cencode = "censored")$Tests
  data.frame(
    test = "Gray", dataset = name, event = rownames(found), stratified, statistic = found[, "stat"],
    df = as.integer(found[, "df"])
  )
}

prompt <- subset(datasets$simulated, entry == 0)
# Without ties all forms of the partial likelihood are one; with ties "exact" is meant, which takes long for many.
untied <- transform(datasets$simulated, time = time + id / 1024)
few <- datasets$simulated[1:40, ]
save_csv(
  rbind(
    do.call(rbind, lapply(c("any", "relapse", "death"), function(event) {
      rbind(
        log_rank_row(prompt, "simulated: no delay", event), log_rank_row(prompt, "simulated: no delay", event, TRUE),
        log_rank_row(datasets$mgus2, "mgus2", event), log_rank_row(datasets$hard, "hard", event),
        log_rank_row(untied, "simulated: untied", event, FALSE, "breslow"),
        log_rank_row(untied, "simulated: untied", event, TRUE, "breslow"),
        log_rank_row(few, "simulated: forty", event, FALSE, "exact")
      )
    })),
    gray_rows(prompt, "simulated: no delay"), gray_rows(prompt, "simulated: no delay", TRUE),
    gray_rows(datasets$mgus2, "mgus2"), gray_rows(datasets$hard, "hard")
  ),
  "pathways_tests.csv"
)

# --- occupancy ------------------------------------------------------------------------------------------------------

# Whole days with heavy ties, up to four lines, quick patients quick on every line; where `late`, a third of the patients
# come under observation some time after the start of their first line.
lines <- function(dataset, n, late, seed) {
  set.seed(seed)
  group <- paste("group", sample(1:2, n, replace = TRUE))
  speed <- exp(rnorm(n, 0, 0.5))
  until <- sample(20:120, n, replace = TRUE)
  seen <- if (late) ifelse(runif(n) < 1 / 3, sample(1:25, n, replace = TRUE), 0) else rep(0, n)
  parts <- lapply(seq_len(n), function(patient) {
    day <- 0
    rows <- NULL
    for (line in 1:4) {
      onward <- if (line < 4) ceiling(rexp(1, speed[patient] * (1 + line / 2) / 40)) else Inf
      death <- ceiling(rexp(1, (1 + line / 2) / 120))
      time <- min(onward, death, until[patient] - day)
      event <- if (onward <= death && onward <= until[patient] - day) "next_line" else if (death <= until[patient] - day) "death" else "censored"
      entry <- max(0, seen[patient] - day)
      if (entry < time) {
        rows <- rbind(rows, data.frame(patient_id = paste0("p", patient), group = group[patient], line, start_day = day, entry, time, event))
      }
      day <- day + time
      if (event != "next_line" || day >= until[patient]) break
    }
    if (!is.null(rows)) rows$event[nrow(rows)] <- if (event == "next_line") "censored" else event
    rows
  })
  cbind(dataset, do.call(rbind, parts))
}

# Gammopathy (survival::mgus2): "line 1" until a plasma-cell malignancy, "line 2" after it; every third patient.
gammopathy <- function() {
  kept <- mgus2[seq(1, nrow(mgus2), 3), ]
  kept <- kept[kept$futime > 0 & (kept$pstat == 0 | (kept$ptime > 0 & kept$ptime < kept$futime)), ]
  first <- with(kept, data.frame(
    patient_id = paste0("m", id), group = paste("sex", sex), line = 1, start_day = 0, entry = 0, time = ifelse(pstat == 1, ptime, futime),
    event = ifelse(pstat == 1, "next_line", ifelse(death == 1, "death", "censored"))
  ))
  second <- with(kept[kept$pstat == 1, ], data.frame(
    patient_id = paste0("m", id), group = paste("sex", sex), line = 2, start_day = ptime, entry = 0, time = futime - ptime,
    event = ifelse(death == 1, "death", "censored")
  ))
  cbind(dataset = "mgus2", rbind(first, second))
}

hard <- function() {
  block <- function(group, patient, line, start_day, time, event) {
    data.frame(dataset = "hard", patient_id = paste(group, patient), group, line, start_day, entry = 0, time, event)
  }
  rbind(
    block("one event", c(1, 2, 3), 1, 0, c(5, 9, 9), c("death", "censored", "censored")),
    block("one day", c(1, 1, 2, 2, 3, 4), c(1, 2, 1, 2, 1, 1), c(0, 4, 0, 4, 0, 0), c(4, 3, 4, 3, 4, 4), c("next_line", "death", "next_line", "censored", "death", "censored")),
    block("no event", 1:3, 1, 0, c(3, 5, 5), "censored"),
    block("state left and filled again", c(1, 1, 2, 2, 3, 3, 4), c(1, 2, 1, 2, 1, 2, 1), c(0, 2, 0, 6, 0, 6, 0), c(2, 2, 6, 5, 6, 1, 9), c("next_line", "death", "next_line", "death", "next_line", "censored", "censored")),
    block("all dead", c(1, 1, 2, 3), c(1, 2, 1, 1), c(0, 3, 0, 0), c(3, 6, 3, 7), c("next_line", "death", "death", "death"))
  )
}

journeys <- rbind(lines("lines", 160, FALSE, 11), lines("late", 200, TRUE, 12), gammopathy(), hard())
save_csv(journeys, "pathways_spells.csv")

prepared <- function(data) {
  states <- c(paste("line", sort(unique(data$line))), "death")
  data$begin <- data$start_day + data$entry
  data$end <- data$start_day + data$time
  data$now <- factor(paste("line", data$line), states)
  onward <- data$event == "next_line"
  data$into <- factor(ifelse(onward, paste("line", data$line + 1), ifelse(data$event == "death", "death", "censored")), c("censored", states))
  data
}

occupied <- function(data, landmark = 0, start = NULL, horizon = NULL) {
  data <- prepared(data)
  parts <- lapply(split(data, data$group), function(own) {
    arguments <- list(Surv(begin, end, into) ~ 1, own, id = quote(patient_id), istate = quote(now), conf.type = "log-log", influence = TRUE)
    if (landmark > 0) arguments$start.time <- landmark
    if (!is.null(start)) arguments$p0 <- as.numeric(levels(own$now) == start)
    fit <- do.call(survfit, arguments)
    named <- data.frame(dataset = own$dataset[1], stratum = own$group[1], landmark, start = if (is.null(start)) "" else start)
    column <- rep(seq_along(fit$states), each = length(fit$time))
    curves <- data.frame(
      named, state = fit$states[column], time = fit$time, estimate = c(fit$pstate), std_error = c(fit$std.err),
      conf_low = c(fit$lower), conf_high = c(fit$upper), at_risk = c(fit$n.risk)
    )
    if (!is.null(horizon) && known(own$end, rowSums(fit$pstate[, -ncol(fit$pstate), drop = FALSE]), horizon)) {
      found <- areas(fit, fit$influence, 1, horizon)
      means <- data.frame(named, state = fit$states, horizon, estimate = found$estimate, std_error = found$std_error)
    } else {
      means <- NULL
    }
    list(curves = curves, means = means)
  })
  list(curves = do.call(rbind, lapply(parts, `[[`, "curves")), means = do.call(rbind, lapply(parts, `[[`, "means")))
}

each <- split(journeys, factor(journeys$dataset, unique(journeys$dataset)))
found <- list(
  occupied(each$lines, horizon = 60), occupied(each$late, horizon = 60), occupied(each$mgus2, horizon = 200), occupied(each$hard, horizon = 5),
  occupied(each$lines, 10.5), occupied(each$lines, 10.5, "line 2"), occupied(each$late, 20.5, "line 1")
)
curves <- do.call(rbind, lapply(found, `[[`, "curves"))
save_csv(curves, "pathways_occupancy.csv")
save_csv(do.call(rbind, lapply(found, `[[`, "means")), "pathways_expected.csv")

# etm as a second witness of the estimate: the row of P(s, t) of a state.
row_of <- function(data, landmark, start) {
  data <- prepared(data)
  states <- levels(data$now)
  possible <- matrix(FALSE, length(states), length(states), dimnames = list(states, states))
  possible[cbind(states[-length(states)], states[-1])] <- TRUE
  possible[-length(states), "death"] <- TRUE
  rows <- with(data, data.frame(
    id = patient_id, from = as.character(now), to = ifelse(into == "censored", "cens", as.character(into)), entry = begin, exit = end
  ))
  fit <- etm(rows, states, possible, "cens", s = landmark, covariance = FALSE)
  do.call(rbind, lapply(states, function(state) {
    data.frame(dataset = data$dataset[1], landmark, start, state, time = fit$time, estimate = fit$est[start, state, ])
  }))
}
save_csv(
  rbind(row_of(each$lines, 10.5, "line 1"), row_of(each$lines, 10.5, "line 3"), row_of(each$late, 20.5, "line 2")),
  "pathways_witness.csv"
)

writeLines(capture.output(print(sessionInfo(), locale = FALSE)), file.path(folder, "pathways_sessionInfo.txt"))
